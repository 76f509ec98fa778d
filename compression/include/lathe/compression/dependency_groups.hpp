// Dependency groups (DepGraph, Fang et al., CVPR 2023): layers of a model whose channels can only go together, since
// they are added, multiplied, normalised or read together. What pruning should decide as one, and speed_up cuts as one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>
#include <lathe/compression/speedup.hpp>

namespace lathe::compression {

enum class LayerSide {
  Output,  ///< the channels that the layer makes
  Input,   ///< the channels that it reads
};

struct GroupMember {
  std::string layer;  ///< path of the module, or of the parameter when no layer's
  std::string type;   ///< class name of the module; empty for a parameter on its own
  LayerSide side = LayerSide::Output;
  std::int64_t channels = 0;  ///< positions on that side; more than the group's where a flattened map is read
};

struct DependencyGroup {
  std::vector<GroupMember> members;   ///< makers before readers, each in order of their names
  std::int64_t channels = 0;          ///< that can go one by one; 12 heads of 64 channels are 12
  std::int64_t fixed = 0;             ///< of those, how many the model's input, output or a fixed tensor pins
  std::vector<KeptChannels> holders;  ///< operators that hold channels of this group, with the reason
};

/// Groups that some layer makes, by their first member's name. One run of `example` finds them; nothing is changed.
/// Errors: a model that cannot be flattened or run.
[[nodiscard]] Result<std::vector<DependencyGroup>> dependency_groups(const torch::jit::Module& model,
                                                                     const at::Tensor& example);

}  // namespace lathe::compression

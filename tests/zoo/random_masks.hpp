// Masks of whole filters, chosen at random: what speed-up must cope with whatever a pruner thinks of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::zoo {

enum class MaskKind {
  Plain,     ///< each layer on its own: what follows a masked filter still adds its constants
  Extended,  ///< the same with extend_masks, as a trial prunes
  Aligned,   ///< layers that make the same channels lose the same ones, extended: dependency-aware pruning
};

[[nodiscard]] const char* name_of(MaskKind kind);

/// Layers whose result reaches the model's output with no other convolution or linear layer between.
[[nodiscard]] compression::Result<std::vector<std::string>> output_layers(const torch::jit::Module& model);

/// Masks trunc(filters * sparsity) filters, at least one and never all, of every convolution and linear layer that is
/// not an output layer. The same for the same seed. Errors: those of channel_sets and extend_masks.
[[nodiscard]] compression::Result<compression::Masks> random_masks(const torch::jit::Module& model, MaskKind kind,
                                                                   double sparsity, const at::Tensor& example,
                                                                   std::uint64_t seed);

}  // namespace lathe::zoo

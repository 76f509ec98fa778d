// Decides from a channel trace which channels go, and what has to be changed for that.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <lathe/compression/result.hpp>
#include <lathe/compression/speedup.hpp>

#include "speedup/channel_trace.hpp"

namespace lathe::compression {

/// Constants of removed channels that a layer has to make up for: add `constant · weight` to its bias, or take it from
/// the running mean of the batch norm behind it.
struct Fold {
  Mixing mixing;
  std::vector<double> constant;  ///< one entry a channel that the layer reads; 0 for those that stay
};

/// A literal of the program and what it becomes.
struct NewLiteral {
  const torch::jit::Node* node = nullptr;  ///< in the flat graph
  std::size_t input = 0;
  std::optional<std::size_t> element;
  std::int64_t value = 0;
};

struct Plan {
  std::map<ParameterAxis, std::vector<std::int64_t>> kept;  ///< positions that stay, only for axes that lose some
  std::vector<Fold> folds;
  std::vector<NewLiteral> literals;  ///< those that stay as they are included, so that contradictions show
  std::vector<KeptChannels> left;    ///< masked, but their constants have nowhere to go
};

/// Errors: a channel that would go is read by an operator that is not understood, a layer would be left without
/// channels.
[[nodiscard]] Result<Plan> make_plan(const ChannelTrace& trace);

}  // namespace lathe::compression

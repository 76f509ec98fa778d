// What has to be changed for the channels that go.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <lathe/compression/result.hpp>

#include "speedup/channel_trace.hpp"
#include "speedup/solve.hpp"

namespace lathe::compression {

/// Constants of removed channels that a layer has to make up for: add `constant · weight` to its bias, or take it from
/// the running mean of the batch norm behind it.
struct Fold {
  Mixing mixing;
  std::vector<double> constant;  ///< one entry a channel that the layer reads; 0 for those that stay
};

/// Rows and columns of each group that stay. Groups that go have none.
struct GroupedCut {
  std::vector<std::vector<std::int64_t>> rows;     ///< counted from the group's first
  std::vector<std::vector<std::int64_t>> columns;  ///< likewise
};

/// What an argument of a call has to be.
struct NewNumber {
  std::size_t input = 0;
  std::optional<std::size_t> element;
  std::int64_t value = 0;
};

struct Plan {
  std::map<ParameterAxis, std::vector<std::int64_t>> kept;  ///< positions that stay, only for axes that lose some
  std::map<std::string, GroupedCut> grouped;                ///< by path, only for weights that lose something
  std::vector<Fold> folds;
  std::vector<std::vector<NewNumber>> numbers;  ///< by call, in the order of the trace
};

/// Errors: a layer would be left without channels.
[[nodiscard]] Result<Plan> make_plan(const ChannelTrace& trace, const Decision& decision);

}  // namespace lathe::compression

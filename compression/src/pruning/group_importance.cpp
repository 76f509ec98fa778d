#include "pruning/group_importance.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ops/tensor.h>

#include "pruning/filter_norms.hpp"
#include "pruning/pruners.hpp"

namespace lathe::compression {
namespace {

/// One row a position, of all weights that belong to it.
at::Tensor rows_of_positions(const ChannelWeight& member) {
  const at::Tensor weight = selectable(member.weight);
  const auto positions = static_cast<std::int64_t>(member.channels.size());
  if (member.groups == 1) return weight.movedim(member.axis, 0).reshape({positions, -1});
  return weight.view({member.groups, -1, weight.size(1), weight.numel() / (weight.size(0) * weight.size(1))})
      .transpose(1, 2)
      .reshape({positions, -1});
}

/// The positions of the set, those of one channel next to each other.
std::vector<std::int64_t> positions_by_channel(const std::vector<std::int64_t>& channels) {
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < channels.size(); ++i)
    if (channels[i] >= 0) order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return channels[static_cast<std::size_t>(a)] < channels[static_cast<std::size_t>(b)];
  });
  return order;
}

struct Part {
  std::int64_t channel = 0;
  double importance = 0;
};

at::Tensor importance_of_rows(const at::Tensor& rows, PruningMetric metric) {
  if (metric == PruningMetric::Fpgm) return distance_sums(rows);
  return metric == PruningMetric::L2 ? square_sums(rows) : l1_norms(rows);
}

/// What the member's channels matter to it, by channel.
std::vector<Part> parts_of(const ChannelWeight& member, PruningMetric metric) {
  const auto order = positions_by_channel(member.channels);
  std::vector<Part> parts;
  std::vector<std::int64_t> sizes;
  for (const std::int64_t position : order) {
    const std::int64_t channel = member.channels[static_cast<std::size_t>(position)];
    if (parts.empty() || parts.back().channel != channel) {
      parts.push_back({channel, 0});
      sizes.push_back(0);
    }
    ++sizes.back();
  }
  at::Tensor rows = rows_of_positions(member).index_select(0, at::tensor(order, at::kLong));
  // Channels of several positions (a map that was flattened) are one row, where all have as many.
  const bool even = std::all_of(sizes.begin(), sizes.end(), [&](std::int64_t size) { return size == sizes.front(); });
  if (even) {
    rows = rows.reshape({static_cast<std::int64_t>(sizes.size()), -1});
    std::fill(sizes.begin(), sizes.end(), 1);
  }
  const at::Tensor importance = importance_of_rows(rows, metric).contiguous();
  const auto* next = importance.data_ptr<double>();
  for (std::size_t i = 0; i < parts.size(); next += sizes[i], ++i)
    parts[i].importance = std::accumulate(next, next + sizes[i], 0.0);
  return parts;
}

}  // namespace

std::vector<double> group_importance(const ChannelSet& set, PruningMetric metric, GroupReduction reduction) {
  std::vector<double> importance(static_cast<std::size_t>(set.size), 0.0);
  std::vector<double> members(importance.size(), 0.0);
  for (const ChannelWeight& member : set.weights) {
    for (const Part& part : parts_of(member, metric)) {
      const auto channel = static_cast<std::size_t>(part.channel);
      const bool largest = reduction == GroupReduction::Max;
      importance[channel] =
          largest ? std::max(importance[channel], part.importance) : importance[channel] + part.importance;
      ++members[channel];
    }
  }
  if (reduction == GroupReduction::Mean)
    for (std::size_t i = 0; i < importance.size(); ++i) importance[i] /= std::max(members[i], 1.0);
  return importance;
}

}  // namespace lathe::compression

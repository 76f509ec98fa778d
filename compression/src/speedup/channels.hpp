// What is known about the channels of one tensor, as small tensors that broadcast to it: the operators that move axes
// about can be run on them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/channel_labels.hpp"

namespace lathe::compression {

/// Each has one dimension for each of the tensor's, of size 1 along axes that make no difference: [1, C, 1, 1] for a
/// feature map, [1, 1, heads, width] for the heads of an attention. Contiguous. A position of the tensor stays when its
/// label does.
struct Channels {
  at::Tensor labels;  ///< int64; a label may repeat (a flattened C x H x W)
  at::Tensor dead;    ///< bool: what is there is the same for any input of the model
  at::Tensor value;   ///< double: the number at a dead position; NaN: it differs from place to place, or is not known
};

/// `dimensions` axes of which `axis` carries the labels; nothing is dead.
[[nodiscard]] Channels live_channels(std::int64_t dimensions, std::int64_t axis, const std::vector<Label>& labels);

/// Axes along which positions differ, ascending.
[[nodiscard]] std::vector<std::int64_t> channel_axes(const Channels& channels);

/// The axis, when there is exactly one.
[[nodiscard]] std::optional<std::int64_t> channel_axis(const Channels& channels);

/// In memory order.
[[nodiscard]] std::vector<Label> labels_in(const at::Tensor& labels);

/// The labels at each position of the axis.
[[nodiscard]] std::vector<std::vector<Label>> positions_along(const Channels& channels, std::int64_t axis);

/// The number of its entry in `channels` at every place of a tensor of that shape: int64, expanded.
[[nodiscard]] at::Tensor numbers_of(const Channels& channels, at::IntArrayRef shape);

/// The channels of a tensor at whose places stand these entries of `channels`.
[[nodiscard]] Channels channels_at(const Channels& channels, const at::Tensor& numbers);

/// Leading axes of size 1 added until there are `dimensions`.
[[nodiscard]] Channels padded_to(const Channels& channels, std::int64_t dimensions);

/// Everything expanded to a common shape.
[[nodiscard]] Channels expanded_to(const Channels& channels, at::IntArrayRef shape);

/// Channels that differ along `axis` alone: those that share a position there become one group.
[[nodiscard]] Channels collapsed_to(const Channels& channels, std::int64_t axis, LabelTable& table);

/// `v` where all values along the other axes of `values` agree; NaN elsewhere. `shape` is what is left, broadcastable.
[[nodiscard]] at::Tensor uniform_values(const at::Tensor& values, at::IntArrayRef shape);

/// A tensor of booleans, one entry a position, in memory order.
[[nodiscard]] std::vector<char> flags_of(const at::Tensor& tensor);

/// The tensor as one row a position on `axis`.
[[nodiscard]] at::Tensor rows_of(const at::Tensor& tensor, std::int64_t axis);

/// `axis` counted from the front.
[[nodiscard]] inline std::int64_t wrap_axis(std::int64_t axis, std::int64_t dimensions) {
  return axis < 0 ? axis + dimensions : axis;
}

}  // namespace lathe::compression

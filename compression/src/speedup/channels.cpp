#include "speedup/channels.hpp"

#include <limits>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace lathe::compression {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Axes along which the same channels are repeated are left out.
Channels without_repeats(Channels channels) {
  for (std::int64_t axis = 0; axis < channels.labels.dim(); ++axis) {
    if (channels.labels.size(axis) < 2) continue;
    const auto first = [&](const at::Tensor& tensor) { return tensor.narrow(axis, 0, 1); };
    const at::Tensor& value = channels.value;
    const at::Tensor same_value = value.eq(first(value)).logical_or(value.isnan().logical_and(first(value).isnan()));
    const bool repeated = channels.labels.eq(first(channels.labels)).all().item<bool>() &&
                          channels.dead.eq(first(channels.dead)).all().item<bool>() && same_value.all().item<bool>();
    if (repeated) channels = {first(channels.labels), first(channels.dead), first(channels.value)};
  }
  return {channels.labels.contiguous(), channels.dead.contiguous(), channels.value.contiguous()};
}

}  // namespace

Channels live_channels(std::int64_t dimensions, std::int64_t axis, const std::vector<Label>& labels) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions), 1);
  shape.at(static_cast<std::size_t>(axis)) = static_cast<std::int64_t>(labels.size());
  return {at::tensor(labels, at::kLong).view(shape), at::zeros(shape, at::kBool), at::zeros(shape, at::kDouble)};
}

std::vector<std::int64_t> channel_axes(const Channels& channels) {
  std::vector<std::int64_t> axes;
  for (std::int64_t axis = 0; axis < channels.labels.dim(); ++axis)
    if (channels.labels.size(axis) > 1) axes.push_back(axis);
  return axes;
}

std::optional<std::int64_t> channel_axis(const Channels& channels) {
  const auto axes = channel_axes(channels);
  if (axes.size() != 1) return std::nullopt;
  return axes.front();
}

std::vector<Label> labels_in(const at::Tensor& labels) {
  const at::Tensor line = labels.contiguous();
  const auto* data = line.data_ptr<std::int64_t>();
  return {data, data + line.numel()};
}

std::vector<std::vector<Label>> positions_along(const Channels& channels, std::int64_t axis) {
  std::vector<std::vector<Label>> positions;
  for (std::int64_t i = 0; i < channels.labels.size(axis); ++i)
    positions.push_back(labels_in(channels.labels.select(axis, i)));
  return positions;
}

at::Tensor numbers_of(const Channels& channels, at::IntArrayRef shape) {
  return at::arange(channels.labels.numel(), at::kLong).view(channels.labels.sizes()).expand(shape);
}

Channels channels_at(const Channels& channels, const at::Tensor& numbers) {
  at::Tensor compact = numbers;
  for (std::int64_t axis = 0; axis < numbers.dim(); ++axis) {
    if (compact.size(axis) < 2) continue;
    const at::Tensor first = compact.narrow(axis, 0, 1);
    if (compact.stride(axis) == 0 || !compact.ne(first).any().item<bool>()) compact = first;
  }
  const auto pick = [&](const at::Tensor& from) {
    return from.reshape({-1}).index_select(0, compact.reshape({-1})).view(compact.sizes());
  };
  return without_repeats({pick(channels.labels), pick(channels.dead), pick(channels.value)});
}

Channels padded_to(const Channels& channels, std::int64_t dimensions) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions - channels.labels.dim()), 1);
  shape.insert(shape.end(), channels.labels.sizes().begin(), channels.labels.sizes().end());
  return {channels.labels.view(shape), channels.dead.view(shape), channels.value.view(shape)};
}

Channels expanded_to(const Channels& channels, at::IntArrayRef shape) {
  const auto expand = [&](const at::Tensor& tensor) { return tensor.expand(shape).contiguous(); };
  return {expand(channels.labels), expand(channels.dead), expand(channels.value)};
}

Channels collapsed_to(const Channels& channels, std::int64_t axis, LabelTable& table) {
  std::vector<Label> labels;
  for (const auto& position : positions_along(channels, axis)) {
    table.unite_all(position);
    labels.push_back(position.front());
  }
  Channels line = live_channels(channels.labels.dim(), axis, labels);
  line.dead.copy_(rows_of(channels.dead, axis).all(1).view(line.dead.sizes()));
  line.value.copy_(uniform_values(channels.value, line.value.sizes()));
  return line;
}

at::Tensor uniform_values(const at::Tensor& values, at::IntArrayRef shape) {
  at::Tensor low = values;
  at::Tensor high = values;
  for (std::int64_t axis = 0; axis < values.dim(); ++axis) {
    if (shape[static_cast<std::size_t>(axis)] != 1 || values.size(axis) == 1) continue;
    low = low.amin({axis}, /*keepdim=*/true);
    high = high.amax({axis}, /*keepdim=*/true);
  }
  return at::where(low.eq(high), low, at::full({}, kUnknown, at::kDouble)).expand(shape).contiguous();
}

std::vector<char> flags_of(const at::Tensor& tensor) {
  const auto bytes = tensor.to(at::kChar).cpu().contiguous();
  const auto* data = bytes.data_ptr<std::int8_t>();
  return {data, data + bytes.numel()};
}

at::Tensor rows_of(const at::Tensor& tensor, std::int64_t axis) {
  return tensor.movedim(axis, 0).reshape({tensor.size(axis), -1});
}

}  // namespace lathe::compression

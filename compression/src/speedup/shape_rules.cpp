// Operators that only move values about, or repeat them: where the numbers of channels land is where the channels land.
#include <cmath>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kScattered = "the operator mixes up positions of these channels";

/// The numbers in a tensor that the operator takes as it took its input: what it views must lie in one piece.
at::Tensor numbers_for(const Call& call, const Channels& channels) {
  const at::Tensor numbers = numbers_of(channels, call.first().sizes());
  const bool views = call.name().find("view") != std::string_view::npos || call.name() == "unflatten";
  return views ? numbers.contiguous() : numbers;
}

/// Axes of a parameter where a view that only moves them has them; nothing for those that it adds.
std::vector<std::optional<std::int64_t>> moved_axes(const Call& call, const at::Tensor& tensor) {
  std::vector<std::optional<std::int64_t>> axes(static_cast<std::size_t>(call.output().dim()));
  for (std::int64_t axis = 0; axis < tensor.dim(); ++axis) {
    if (tensor.size(axis) < 2) continue;
    std::vector<Label> labels(static_cast<std::size_t>(tensor.size(axis)));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<Label>(i);
    const Channels line = live_channels(tensor.dim(), axis, labels);
    Values inputs = call.inputs;
    inputs.at(0) = numbers_for(call, line);
    const Channels moved = channels_at(line, call.rerun(inputs).toTensor());
    const auto landed = channel_axis(moved);
    if (landed && labels_in(moved.labels) == labels) axes[static_cast<std::size_t>(*landed)] = axis;
  }
  return axes;
}

void move_parameter(Tracer& tracer, const Call& call) {
  const at::Tensor tensor = call.first();
  if (tracer.is_parameter(tensor)) tracer.note_view(tensor, call.output(), moved_axes(call, tensor));
}

Channels moved(const Call& call, const Channels& read) {
  Values inputs = call.inputs;
  inputs.at(0) = numbers_for(call, read);
  return channels_at(read, call.rerun(inputs).toTensor());
}

/// A view of a parameter may say its sizes too.
void count_parameter(Tracer& tracer, const Call& call) {
  const at::Tensor view = call.output();
  for (const char* name : {"size", "shape"}) {
    const auto sizes = call.argument(name);
    if (!sizes.isIntList() || sizes.toIntVector().size() != static_cast<std::size_t>(view.dim())) continue;
    for (std::int64_t axis = 0; axis < view.dim(); ++axis) {
      const auto original = tracer.parameter_axis(view, axis);
      if (!original) continue;
      const auto labels = tracer.labels_of(*original, view.size(axis));
      tracer.count(call, name, static_cast<std::size_t>(axis),
                   positions_along(live_channels(1, 0, labels), 0));
    }
  }
}

/// view, reshape, expand: the program may say the new sizes.
void resize(Tracer& tracer, const Call& call) {
  rearrange(tracer, call);
  if (tracer.is_parameter(call.output())) return count_parameter(tracer, call);
  const auto made = tracer.channels(call.output());
  if (!made || !tracer.channels(call.first())) return;
  for (const char* name : {"size", "shape"}) {
    const auto sizes = call.argument(name);
    if (!sizes.isIntList() || sizes.toIntVector().size() != static_cast<std::size_t>(made->labels.dim())) continue;
    for (const std::int64_t axis : channel_axes(*made))
      tracer.count(call, name, static_cast<std::size_t>(axis), positions_along(*made, axis));
  }
}

void unflatten(Tracer& tracer, const Call& call) {
  rearrange(tracer, call);
  const auto made = tracer.channels(call.output());
  if (!made) return;
  const std::int64_t first = wrap_axis(call.argument("dim").toInt(), call.first().dim());
  const auto parts = static_cast<std::int64_t>(call.argument("sizes").toIntVector().size());
  for (const std::int64_t axis : channel_axes(*made))
    if (axis >= first && axis < first + parts)
      tracer.count(call, "sizes", static_cast<std::size_t>(axis - first), positions_along(*made, axis));
}

/// expand_as, view_as: the other tensor says the size, and its channels are these.
void resize_as(Tracer& tracer, const Call& call) {
  const at::Tensor other = call.tensor("other");
  const auto theirs = tracer.channels(other);
  const auto read = tracer.channels(call.first());
  if (!theirs) {
    if (read) tracer.keep(call, call.first(), kFixedPartner);
    return;
  }
  if (read) {
    rearrange(tracer, call);
    const auto made = tracer.channels(call.output());
    if (!made || !made->labels.sizes().equals(theirs->labels.sizes())) {
      tracer.keep(call, call.first(), kFixedPartner);
      return tracer.keep(call, other, kFixedPartner);
    }
    return tracer.table().unite(labels_in(made->labels), labels_in(theirs->labels));
  }
  // Repeated along the other's channels; a tensor that had them itself would have to follow.
  const at::Tensor input = call.first();
  for (const std::int64_t axis : channel_axes(*theirs)) {
    const std::int64_t own = axis - (other.dim() - input.dim());
    if (own >= 0 && input.size(own) > 1) return tracer.keep(call, other, kFixedPartner);
  }
  Channels made = *theirs;
  made.dead = made.dead.clone().fill_(false);
  tracer.set(call.output(), made, call);
}

/// Each output channel is made of a block of input channels.
void pixel_shuffle(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const std::int64_t axis = input.dim() - 3;
  if (channel_axis(*read) != axis) return tracer.keep(call, input, kScattered);
  const std::int64_t factor = call.argument("upscale_factor").toInt();
  const auto by_block = [&](const at::Tensor& tensor) { return tensor.reshape({-1, factor * factor}); };
  const Channels blocks{by_block(read->labels), by_block(read->dead), by_block(read->value)};
  const Channels line = collapsed_to(blocks, 0, tracer.table());
  Channels made = live_channels(call.output().dim(), axis, labels_in(line.labels));
  made.dead.copy_(line.dead.view(made.dead.sizes()));
  made.value.copy_(line.value.view(made.value.sizes()));
  tracer.set(call.output(), made, call);
}

/// Windows become columns: each channel has one row a place in the window.
void unfold_windows(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const std::int64_t axis = input.dim() - 3;
  if (channel_axis(*read) != axis) return tracer.keep(call, input, kScattered);
  const std::int64_t repeats = call.output().size(axis) / input.size(axis);
  const auto repeat = [&](const at::Tensor& tensor) { return tensor.reshape({-1}).repeat_interleave(repeats, 0); };
  Channels made = live_channels(call.output().dim(), axis, labels_in(repeat(read->labels)));
  made.dead.copy_(repeat(read->dead).view(made.dead.sizes()));
  const at::Tensor value = repeat(read->value).view(made.value.sizes());
  made.value.copy_(at::where(value.eq(0), value, at::scalar_tensor(NAN, at::kDouble)));  // padding adds zeros
  tracer.set(call.output(), made, call);
}

/// The framework's own channel shuffle: a grid of groups by channels, turned.
void channel_shuffle(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  if (channel_axis(*read) != 1) return tracer.keep(call, input, kScattered);
  const std::int64_t groups = call.argument("groups").toInt();
  const auto labels = labels_in(read->labels);
  const std::int64_t size = static_cast<std::int64_t>(labels.size()) / groups;
  tracer.trace().products.push_back({tracer.describe(call), {groups, size}, labels});
  std::vector<std::vector<Label>> rows(static_cast<std::size_t>(groups));
  for (std::size_t i = 0; i < labels.size(); ++i) rows[i / static_cast<std::size_t>(size)].push_back(labels[i]);
  tracer.count(call, "groups", std::nullopt, rows);
  rearrange(tracer, call);
}

}  // namespace

void rearrange(Tracer& tracer, const Call& call) {
  const auto read = tracer.channels(call.first());
  if (!read) return move_parameter(tracer, call);
  tracer.set(call.output(), moved(call, *read), call);
}

const RuleTable& shape_rules() {
  static const RuleTable rules = [] {
    RuleTable table;
    for (const char* name : {"flatten",           "permute",         "transpose", "t",        "squeeze", "unsqueeze",
                             "movedim",           "moveaxis",        "swapaxes",  "swapdims", "numpy_T", "mT",
                             "adjoint",           "ravel",           "repeat",    "tile",     "flip",    "roll",
                             "repeat_interleave", "pixel_unshuffle", "rot90",     "fliplr",   "flipud",  "atleast_2d",
                             "atleast_3d"})
      table.emplace(name, rearrange);
    for (const char* name : {"view", "reshape", "expand", "_unsafe_view", "broadcast_to", "_reshape_alias"})
      table.emplace(name, resize);
    for (const char* name : {"expand_as", "view_as", "reshape_as"}) table.emplace(name, resize_as);
    table.emplace("unflatten", unflatten);
    table.emplace("pixel_shuffle", pixel_shuffle);
    table.emplace("channel_shuffle", channel_shuffle);
    table.emplace("im2col", unfold_windows);
    return table;
  }();
  return rules;
}

}  // namespace lathe::compression

// Operators that put tensors together: one behind the other, or side by side.
#include <algorithm>
#include <limits>

#include <ATen/ops/cat.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kOtherParts = "the parts that are joined carry their channels on different axes";

/// Channels of a part along `axes`, which it may not carry yet: a parameter's own, or fixed ones.
std::optional<Channels> channels_of_part(Tracer& tracer, const at::Tensor& part,
                                         const std::vector<std::int64_t>& axes) {
  if (const auto found = tracer.channels(part)) return *found;
  if (axes.size() != 1) return std::nullopt;
  const std::int64_t axis = axes.front();
  const auto parameter = tracer.parameter_axis(part, axis);
  const auto labels = parameter ? tracer.labels_of(*parameter, part.size(axis)) : tracer.fixed(part.size(axis));
  Channels made = live_channels(part.dim(), axis, labels);
  if (!parameter) return made;
  made.dead.fill_(true);
  made.value = uniform_values(part.detach().to(at::kCPU, at::kDouble), made.value.sizes());
  return made;
}

struct Parts {
  std::vector<at::Tensor> tensors;
  std::vector<Channels> channels;
  std::vector<std::int64_t> axes;  ///< along which any of them carries channels
};

/// Nothing: no part carries channels. An empty list of channels: they do not go together.
std::optional<Parts> collect(Tracer& tracer, const std::vector<at::Tensor>& tensors) {
  Parts parts;
  for (const auto& tensor : tensors)
    if (tensor.dim() > 1 || tensor.numel() > 0) parts.tensors.push_back(tensor);
  for (const auto& tensor : parts.tensors)
    if (const auto found = tracer.channels(tensor))
      for (const std::int64_t axis : channel_axes(*found))
        if (std::find(parts.axes.begin(), parts.axes.end(), axis) == parts.axes.end()) parts.axes.push_back(axis);
  if (parts.axes.empty()) return std::nullopt;
  for (const auto& tensor : parts.tensors) {
    auto channels = channels_of_part(tracer, tensor, parts.axes);
    if (!channels) {
      parts.channels.clear();
      break;
    }
    parts.channels.push_back(std::move(*channels));
  }
  return parts;
}

/// One behind the other along an axis that carries channels.
Channels chained(const Parts& parts, std::int64_t along) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(parts.tensors[0].dim()), 1);
  for (const auto& channels : parts.channels)
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      shape[axis] = std::max(shape[axis], channels.labels.size(static_cast<std::int64_t>(axis)));
  std::vector<at::Tensor> labels, dead, values;
  for (std::size_t i = 0; i < parts.channels.size(); ++i) {
    shape[static_cast<std::size_t>(along)] = parts.tensors[i].size(along);
    const Channels whole = expanded_to(parts.channels[i], shape);
    labels.push_back(whole.labels);
    dead.push_back(whole.dead);
    values.push_back(whole.value);
  }
  return {at::cat(labels, along), at::cat(dead, along), at::cat(values, along)};
}

/// Side by side: the channels of all parts are the same.
std::optional<Channels> united(Tracer& tracer, const Parts& parts) {
  Channels made = parts.channels.front();
  for (const auto& channels : parts.channels) {
    if (!channels.labels.sizes().equals(made.labels.sizes())) return std::nullopt;
    tracer.table().unite(labels_in(made.labels), labels_in(channels.labels));
    made.dead = made.dead.logical_and(channels.dead);
    const at::Tensor nan = at::scalar_tensor(std::numeric_limits<double>::quiet_NaN(), at::kDouble);
    made.value = at::where(made.value.eq(channels.value), made.value, nan);
  }
  return made;
}

void keep_all(Tracer& tracer, const Call& call, const std::vector<at::Tensor>& tensors) {
  for (const auto& tensor : tensors) tracer.keep(call, tensor, kOtherParts);
}

void concatenate(Tracer& tracer, const Call& call) {
  const auto tensors = tensors_in(call.argument("tensors"));
  const std::int64_t along = wrap_axis(call.argument("dim").toInt(), call.output().dim());
  const auto parts = collect(tracer, tensors);
  if (!parts) return;
  if (parts->channels.empty()) return keep_all(tracer, call, tensors);
  const bool carries = std::find(parts->axes.begin(), parts->axes.end(), along) != parts->axes.end();
  const auto made = carries ? std::optional(chained(*parts, along)) : united(tracer, *parts);
  if (!made) return keep_all(tracer, call, tensors);
  tracer.set(call.output(), *made, call);
}

void stack(Tracer& tracer, const Call& call) {
  const auto tensors = tensors_in(call.argument("tensors"));
  const std::int64_t along = wrap_axis(call.argument("dim").toInt(), call.output().dim());
  const auto parts = collect(tracer, tensors);
  if (!parts) return;
  auto made = parts->channels.empty() ? std::nullopt : united(tracer, *parts);
  if (!made) return keep_all(tracer, call, tensors);
  const Channels higher{made->labels.unsqueeze(along), made->dead.unsqueeze(along), made->value.unsqueeze(along)};
  tracer.set(call.output(), higher, call);
}

}  // namespace

const RuleTable& concat_rules() {
  static const RuleTable rules{
      {"cat", concatenate}, {"concat", concatenate}, {"concatenate", concatenate}, {"stack", stack}};
  return rules;
}

}  // namespace lathe::compression

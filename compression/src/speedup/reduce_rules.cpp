// Reductions, and operators that weigh the positions of an axis against each other.
#include <algorithm>
#include <cmath>

#include <ATen/ops/full_like.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kAllCount = "every one of these channels counts in the result, zero or not";

/// What a reduction makes of one number everywhere, and whether zeros among others change its result.
enum class Kind { Mean, Sum, Extreme, Norm, Other };

Kind kind_of(std::string_view name) {
  if (name == "mean") return Kind::Mean;
  if (name == "sum" || name == "nansum") return Kind::Sum;
  if (name == "amax" || name == "amin" || name == "max" || name == "min" || name == "median") return Kind::Extreme;
  if (name == "norm" || name == "linalg_vector_norm" || name == "frobenius_norm" || name == "linalg_norm")
    return Kind::Norm;
  return Kind::Other;
}

/// Axes that are reduced; all of them when none are named.
std::vector<std::int64_t> reduced_axes(const Call& call, std::int64_t dimensions) {
  std::vector<std::int64_t> axes;
  const auto dim = call.argument("dim");
  if (dim.isIntList()) axes = dim.toIntVector();
  if (dim.isInt()) axes = {dim.toInt()};
  for (auto& axis : axes) axis = wrap_axis(axis, dimensions);
  if (axes.empty())
    for (std::int64_t axis = 0; axis < dimensions; ++axis) axes.push_back(axis);
  return axes;
}

bool contains(const std::vector<std::int64_t>& axes, std::int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

/// Sums do without zeros; nothing else does.
void reduce_channels(Tracer& tracer, const Call& call, const Channels& read, Kind kind) {
  if (kind != Kind::Sum && kind != Kind::Norm) return tracer.keep(call, call.first(), kAllCount);
  const at::Tensor zero = read.dead.logical_and(read.value.eq(0)).reshape({-1});
  tracer.read(call, labels_in(read.labels), zero);
}

at::Tensor value_after(const Channels& read, Kind kind, double count) {
  if (kind == Kind::Mean || kind == Kind::Extreme) return read.value;
  if (kind == Kind::Sum) return read.value.mul(count);
  return at::full_like(read.value, NAN);
}

void reduce(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const Kind kind = kind_of(call.name());
  const auto axes = reduced_axes(call, input.dim());
  const auto carrying = channel_axes(*read);
  const auto crossed = std::count_if(carrying.begin(), carrying.end(), [&](auto axis) { return contains(axes, axis); });
  if (crossed > 0 && carrying.size() > 1) return tracer.keep(call, input, kAllCount);
  if (crossed > 0) return reduce_channels(tracer, call, *read, kind);
  double count = 1;
  for (const std::int64_t axis : axes) count *= static_cast<double>(input.size(axis));
  Channels made{read->labels, read->dead, value_after(*read, kind, count)};
  if (call.output().dim() < input.dim())
    for (auto* tensor : {&made.labels, &made.dead, &made.value})
      for (std::int64_t axis = input.dim() - 1; axis >= 0; --axis)
        if (contains(axes, axis)) *tensor = tensor->squeeze(axis);
  for (const auto& output : call.outputs)
    for (const auto& tensor : tensors_in(output))
      if (tensor.dim() == made.labels.dim()) tracer.set(tensor, made, call);
}

/// softmax, cumsum …: across other axes each channel is on its own.
void along_axis(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const auto dim = call.argument("dim");
  const std::int64_t axis = dim.isInt() ? wrap_axis(dim.toInt(), input.dim()) : -1;
  if (axis < 0 || read->labels.size(axis) > 1) return tracer.keep(call, input, kAllCount);
  const Channels made{read->labels, read->dead, at::full_like(read->value, NAN)};
  for (const auto& output : call.outputs)
    for (const auto& tensor : tensors_in(output))
      if (tensor.dim() == input.dim()) tracer.set(tensor, made, call);
}

/// Halves of an axis gate each other: they stay or go in pairs.
void gated_linear_unit(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const std::int64_t axis = wrap_axis(call.argument("dim").toInt(), input.dim());
  if (read->labels.size(axis) == 1) {
    return tracer.set(call.output(), {read->labels, read->dead, at::full_like(read->value, NAN)}, call);
  }
  const std::int64_t half = read->labels.size(axis) / 2;
  const auto side = [&](const at::Tensor& tensor, std::int64_t start) { return tensor.narrow(axis, start, half); };
  tracer.table().unite(labels_in(side(read->labels, 0)), labels_in(side(read->labels, half)));
  const at::Tensor value = side(read->value, 0).mul(side(read->value, half).sigmoid());
  const at::Tensor zero = side(read->dead, 0).logical_and(side(read->value, 0).eq(0));
  const at::Tensor dead = side(read->dead, 0).logical_and(side(read->dead, half)).logical_or(zero);
  tracer.set(call.output(), {side(read->labels, 0), dead, value.masked_fill(zero, 0.0)}, call);
}

}  // namespace

const RuleTable& reduce_rules() {
  static const RuleTable rules = [] {
    RuleTable table;
    for (const char* name : {"mean",
                             "sum",
                             "nansum",
                             "amax",
                             "amin",
                             "prod",
                             "std",
                             "var",
                             "norm",
                             "linalg_vector_norm",
                             "frobenius_norm",
                             "logsumexp",
                             "median",
                             "argmax",
                             "argmin",
                             "any",
                             "all",
                             "var_mean",
                             "std_mean",
                             "mode",
                             "count_nonzero",
                             "aminmax"})
      table.emplace(name, reduce);
    for (const char* name : {"softmax", "log_softmax", "_softmax", "_log_softmax", "softmin", "cumsum", "cumprod",
                             "logcumsumexp", "cummax", "cummin", "sort", "topk"})
      table.emplace(name, along_axis);
    table.emplace("glu", gated_linear_unit);
    return table;
  }();
  return rules;
}

}  // namespace lathe::compression

// Operators that move, join or reduce axes.
#include <algorithm>
#include <map>
#include <string_view>

#include <ATen/ops/arange.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "speedup/tracer.hpp"

namespace lathe::compression {
namespace {

std::int64_t wrap(std::int64_t axis, std::int64_t dimensions) {
  return axis < 0 ? axis + dimensions : axis;
}

/// The number of its channel at every place of the tensor.
at::Tensor channel_numbers(const at::Tensor& tensor, const Channels& channels) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(tensor.dim()), 1);
  shape.at(static_cast<std::size_t>(channels.axis)) = tensor.size(channels.axis);
  return at::arange(tensor.size(channels.axis), at::kLong).view(shape).expand(tensor.sizes()).contiguous();
}

/// Runs the operator on the channel numbers in place of the tensor: where they land is where the channels land.
at::Tensor moved_numbers(const Call& call, const at::Tensor& tensor, const Channels& channels) {
  torch::jit::Stack stack(call.inputs.begin(), call.inputs.end());
  stack.at(0) = channel_numbers(tensor, channels);
  call.node->getOperation()(stack);
  return stack.at(0).toTensor();
}

/// The one axis on which the numbers depend; -1: there is none, or more than one.
std::int64_t axis_of(const at::Tensor& numbers) {
  std::int64_t found = -1;
  for (std::int64_t axis = 0; axis < numbers.dim(); ++axis) {
    const bool varies = numbers.ne(numbers.narrow(axis, 0, 1)).any().item<bool>();
    if (varies && found >= 0) return -1;
    if (varies) found = axis;
  }
  return found;
}

void set_moved(Tracer& tracer, const Call& call, const Channels& read, std::int64_t axis, const at::Tensor& numbers) {
  const at::Tensor line = rows_of(numbers, axis).select(1, 0).contiguous();
  Channels made{axis, {}, {}};
  for (std::int64_t i = 0; i < line.numel(); ++i) {
    const auto channel = static_cast<std::size_t>(line.data_ptr<std::int64_t>()[i]);
    made.labels.push_back(read.labels[channel]);
    made.dead.push_back(read.dead[channel]);
  }
  tracer.set(call.output(), std::move(made));
}

/// The axis where the operator puts the channels, and what becomes of them; refuses when they scatter. A single channel
/// is simply kept.
std::int64_t move(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const Channels* found = tracer.channels(input);
  if (!found) return -1;
  const Channels read = *found;
  if (read.labels.size() == 1) {
    tracer.keep(input, tracer.describe(call));
    return -1;
  }
  const at::Tensor numbers = moved_numbers(call, input, read);
  const std::int64_t axis = axis_of(numbers);
  if (axis < 0)
    tracer.refuse(call, input);
  else
    set_moved(tracer, call, read, axis, numbers);
  return axis;
}

/// permute, transpose, squeeze …: every value stays.
void rearrange(Tracer& tracer, const Call& call) {
  move(tracer, call);
}

/// view, reshape, expand: likewise, and the program may say the new sizes.
void resize(Tracer& tracer, const Call& call) {
  const std::int64_t axis = move(tracer, call);
  if (axis < 0) return;
  for (const char* name : {"size", "shape"}) {
    const auto sizes = call.argument(name);
    if (!sizes.isIntList() || sizes.toIntVector().at(static_cast<std::size_t>(axis)) == -1) continue;
    tracer.add_literal(call, name, static_cast<std::size_t>(axis), tracer.channels(call.output())->labels);
  }
}

/// slice, select, narrow: only across other axes, where all channels stay as they were.
void cut(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const Channels* found = tracer.channels(input);
  if (!found) return;
  const Channels read = *found;
  if (wrap(call.argument("dim").toInt(), input.dim()) == read.axis) return tracer.refuse(call, input);
  move(tracer, call);
}

void join_along_channels(Tracer& tracer, const Call& call, const std::vector<at::Tensor>& parts, std::int64_t axis) {
  Channels made{axis, {}, {}};
  for (const auto& part : parts) {
    const Channels read = tracer.channels_or_fixed(part, axis);
    if (read.axis != axis) {
      for (const auto& other : parts) tracer.refuse(call, other);
      return;
    }
    made.labels.insert(made.labels.end(), read.labels.begin(), read.labels.end());
    made.dead.insert(made.dead.end(), read.dead.begin(), read.dead.end());
  }
  tracer.set(call.output(), std::move(made));
}

void join_across_channels(Tracer& tracer, const Call& call, const std::vector<at::Tensor>& parts, std::int64_t axis) {
  Channels made = tracer.channels_or_fixed(parts.front(), axis);
  for (const auto& part : parts) {
    const Channels read = tracer.channels_or_fixed(part, axis);
    if (read.axis != made.axis || read.labels.size() != made.labels.size()) {
      for (const auto& other : parts) tracer.refuse(call, other);
      return;
    }
    tracer.trace().labels.unite(made.labels, read.labels);
    for (std::size_t i = 0; i < made.dead.size(); ++i) made.dead[i] = static_cast<char>(made.dead[i] & read.dead[i]);
  }
  tracer.set(call.output(), std::move(made));
}

void concatenate(Tracer& tracer, const Call& call) {
  const auto parts = tensors_in(call.argument("tensors"));
  const auto labelled =
      std::find_if(parts.begin(), parts.end(), [&](const auto& part) { return tracer.channels(part); });
  if (labelled == parts.end()) return;
  const std::int64_t along = wrap(call.argument("dim").toInt(), call.output().dim());
  const std::int64_t axis = tracer.channels(*labelled)->axis;
  if (along == axis) return join_along_channels(tracer, call, parts, axis);
  join_across_channels(tracer, call, parts, axis);
}

/// mean, sum, amax …: fine across other axes; across the channels they would count or mix them.
void reduce(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const Channels* found = tracer.channels(input);
  if (!found) return;
  Channels made = *found;
  const auto dim = call.argument("dim");
  std::vector<std::int64_t> axes;
  if (dim.isIntList()) axes = dim.toIntVector();
  if (dim.isInt()) axes = {dim.toInt()};
  const auto keepdim = call.argument("keepdim");
  const bool keeps = keepdim.isBool() && keepdim.toBool();
  std::int64_t before = 0;
  for (const std::int64_t axis : axes) {
    if (wrap(axis, input.dim()) == made.axis) return tracer.refuse(call, input);
    before += wrap(axis, input.dim()) < made.axis ? 1 : 0;
  }
  if (axes.empty()) return tracer.refuse(call, input);
  if (!keeps) made.axis -= before;
  for (const auto& output : call.outputs)
    for (const auto& tensor : tensors_in(output)) tracer.set(tensor, made);
}

/// Across the channels every one counts in the denominator, so all stay; across other axes it is like an activation.
void normalise(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const Channels* read = tracer.channels(input);
  if (!read) return;
  if (wrap(call.argument("dim").toInt(), input.dim()) == read->axis) return tracer.keep(input, tracer.describe(call));
  const Channels made = *read;
  tracer.set(call.output(), made);
}

}  // namespace

Rule find_shape_rule(const std::string& name) {
  static const std::map<std::string_view, Rule> rules{
      {"aten::view", resize},        {"aten::reshape", resize},      {"aten::expand", resize},
      {"aten::flatten", rearrange},  {"aten::permute", rearrange},   {"aten::transpose", rearrange},
      {"aten::squeeze", rearrange},  {"aten::unsqueeze", rearrange}, {"aten::movedim", rearrange},
      {"aten::swapaxes", rearrange}, {"aten::slice", cut},           {"aten::select", cut},
      {"aten::narrow", cut},         {"aten::cat", concatenate},     {"aten::concat", concatenate},
      {"aten::mean", reduce},        {"aten::sum", reduce},          {"aten::amax", reduce},
      {"aten::amin", reduce},        {"aten::softmax", normalise},   {"aten::log_softmax", normalise}};
  const auto found = rules.find(name);
  return found == rules.end() ? nullptr : found->second;
}

}  // namespace lathe::compression

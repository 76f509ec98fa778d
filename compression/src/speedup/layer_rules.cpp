// Convolutions, linear layers and embeddings.
#include <cmath>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include "speedup/mixing.hpp"
#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kUnknownWeight = "the weight of this operator is computed, not a parameter";

bool has_other_than(const c10::IValue& list, std::int64_t value) {
  if (!list.isIntList()) return false;
  for (const std::int64_t entry : list.toIntVector())
    if (entry != value) return true;
  return false;
}

bool is_padded(const Call& call) {
  const auto padding = call.argument("padding");
  if (padding.isString()) return padding.toStringRef() != "valid";
  return has_other_than(padding, 0);
}

/// What a depthwise convolution makes of constants: their product with the sum of the filter, plus the bias.
void set_depthwise_values(Channels& made, const Channels& read, const at::Tensor& weight, const at::Tensor& bias,
                          const at::Tensor& masked, bool everywhere) {
  const auto sums = weight.detach().to(at::kCPU, at::kDouble).reshape({made.labels.numel(), -1}).sum(1);
  at::Tensor value = read.value.reshape({-1});
  if (!everywhere) value = at::where(value.eq(0), value, at::scalar_tensor(NAN, at::kDouble));
  value = at::where(masked, at::scalar_tensor(0.0, at::kDouble), value.mul(sums));
  if (bias.defined()) value = value.add(bias.detach().to(at::kCPU, at::kDouble));
  made.value.copy_(value.view(made.value.sizes()));
  made.dead.copy_(masked.logical_or(read.dead.reshape({-1})).view(made.dead.sizes()));
}

/// One input channel a group: makes `multiplier` channels of each and mixes none. `weight` has them on axis 0.
void depthwise(Tracer& tracer, const Call& call, const MixingLayer& layer, std::int64_t multiplier) {
  const auto axis = tracer.parameter_axis(layer.weight, 0);
  const std::string bias = tracer.path(layer.bias);
  if (!axis || (layer.bias.defined() && bias.empty())) return tracer.keep(call, layer.input, kUnknownWeight);
  Channels read = input_channels(tracer, call, layer.input, layer.axis);
  const auto groups = positions_along(read, layer.axis);
  const auto repeat = [&](const at::Tensor& from) { return from.repeat_interleave(multiplier, layer.axis); };
  read = {repeat(read.labels), repeat(read.dead), repeat(read.value)};
  const auto labels = labels_in(read.labels);
  tracer.bind(*axis, labels);
  tracer.trace().made.push_back(*axis);
  if (!bias.empty()) tracer.bind({bias, 0}, labels);
  note_pass_through(tracer, layer.weight, layer.bias, read.dead);
  tracer.count(call, "groups", std::nullopt, groups);
  Channels made = live_channels(call.output().dim(), layer.axis, labels);
  set_depthwise_values(made, read, layer.weight, layer.bias, tracer.masked_slices(layer.weight, 0), layer.everywhere);
  tracer.set(call.output(), made, call);
}

void convolve(Tracer& tracer, const Call& call, bool transposed) {
  MixingLayer layer{.input = call.tensor("input"), .weight = call.tensor("weight"), .bias = call.tensor("bias")};
  layer.groups = call.argument("groups").toInt();
  layer.axis = layer.input.dim() - layer.weight.dim() + 1;
  layer.everywhere = !is_padded(call) && !transposed;
  const std::int64_t in = layer.input.size(layer.axis);
  if (layer.groups == in && in > 1 && !transposed) return depthwise(tracer, call, layer, layer.weight.size(0) / in);
  if (layer.groups == in && in > 1 && layer.weight.size(1) == 1) return depthwise(tracer, call, layer, 1);
  if (transposed) {
    layer.out_axis = 1;
    layer.in_axis = 0;
    // Where windows neither overlap nor leave gaps, but for their own taps, which differ.
    layer.everywhere = layer.weight.dim() > 2 && layer.weight[0][0].numel() == 1 && !is_padded(call) &&
                       !has_other_than(call.argument("stride"), 1) &&
                       !has_other_than(call.argument("output_padding"), 0);
  }
  mix(tracer, call, layer);
}

void convolution(Tracer& tracer, const Call& call) {
  const auto transposed = call.argument("transposed");
  convolve(tracer, call, transposed.isBool() && transposed.toBool());
}

void transposed_convolution(Tracer& tracer, const Call& call) {
  convolve(tracer, call, true);
}

void linear(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const at::Tensor weight = call.tensor("weight");
  if (weight.dim() != 2) return tracer.keep(call, input, kUnknownWeight);
  mix(tracer, call, {.input = input, .axis = input.dim() - 1, .weight = weight, .bias = call.tensor("bias")});
}

void addmm(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("mat1");
  const at::Tensor bias = call.tensor("self");
  const auto is_one = [&](const char* name) { return call.argument(name).toScalar().toDouble() == 1.0; };
  if (!is_one("beta") || !is_one("alpha") || bias.dim() != 1)
    return tracer.keep(call, input, "the operator adds a scaled sum or a matrix");
  mix(tracer, call,
      {.input = input, .axis = 1, .weight = call.tensor("mat2"), .out_axis = 1, .in_axis = 0, .bias = bias});
}

/// A row of the weight for each index: columns that are masked are zero.
void embedding(Tracer& tracer, const Call& call) {
  const at::Tensor weight = call.tensor("weight");
  const auto rows = tracer.parameter_axis(weight, 0);
  const auto columns = tracer.parameter_axis(weight, 1);
  if (!rows || !columns) return;
  tracer.pin(tracer.labels_of(*rows, weight.size(0)));
  const auto labels = tracer.labels_of(*columns, weight.size(1));
  const std::int64_t axis = call.output().dim() - 1;
  Channels made = live_channels(call.output().dim(), axis, labels);
  made.dead.copy_(tracer.masked_slices(weight, 1).view(made.dead.sizes()));
  tracer.set(call.output(), made, call);
}

}  // namespace

const RuleTable& layer_rules() {
  static const RuleTable rules{{"conv1d", convolution},
                               {"conv2d", convolution},
                               {"conv3d", convolution},
                               {"_convolution", convolution},
                               {"convolution", convolution},
                               {"conv_transpose1d", transposed_convolution},
                               {"conv_transpose2d", transposed_convolution},
                               {"conv_transpose3d", transposed_convolution},
                               {"linear", linear},
                               {"addmm", addmm},
                               {"embedding", embedding}};
  return rules;
}

}  // namespace lathe::compression

// Layers with weights: convolutions and linear layers read all their channels and make new ones; batch norms, depthwise
// convolutions and PReLU have one set of weights a channel.
#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "speedup/tracer.hpp"

namespace lathe::compression {
namespace {

/// Relative spread up to which a channel counts as one constant.
constexpr double kUniform = 1e-6;

/// A weight and its two axes as the operator uses them.
struct Weight {
  at::Tensor tensor;
  std::int64_t out_axis = 0;
  std::int64_t in_axis = 1;
};

bool is_padded(const c10::IValue& padding) {
  if (padding.isString()) return padding.toStringRef() != "valid";
  if (!padding.isIntList()) return false;
  for (const std::int64_t amount : padding.toIntVector())
    if (amount != 0) return true;
  return false;
}

/// Path of the running mean of the batch norm that alone reads the node's output; empty: there is none.
std::string batch_mean_behind(const torch::jit::Node* node, const FlatGraph& flat) {
  const torch::jit::Node* batch_norm = nullptr;
  for (const auto& use : node->output()->uses()) {
    const std::string_view name = use.user->kind().toQualString();
    if (name == "aten::dim" || name == "aten::size") continue;
    if (name != "aten::batch_norm" || use.offset != 0 || batch_norm) return {};
    batch_norm = use.user;
  }
  return batch_norm ? flat.attribute_path(batch_norm->namedInput("running_mean")).value_or("") : std::string();
}

/// Measures the removable channels of what the layer reads.
void measure(Consumer& consumer, const at::Tensor& input, std::int64_t axis, bool padded,
             const std::vector<char>& unread) {
  const at::Tensor rows = rows_of(input.to(at::kDouble), axis);
  const at::Tensor low = rows.amin(1).cpu().contiguous();
  const at::Tensor high = rows.amax(1).cpu().contiguous();
  for (std::size_t i = 0; i < consumer.labels.size(); ++i) {
    if (!consumer.removable[i] || unread[i]) continue;
    const double least = low.data_ptr<double>()[i];
    const double most = high.data_ptr<double>()[i];
    consumer.constant[i] = (least + most) / 2;
    const bool uniform = most - least <= kUniform * std::max(1.0, std::abs(consumer.constant[i]));
    const bool zero = least == 0 && most == 0;
    consumer.foldable[i] = zero || (uniform && !padded);
  }
}

void add_mixing_consumer(Tracer& tracer, const Call& call, const at::Tensor& input, const Channels& read,
                         const Weight& weight, const at::Tensor& bias, bool padded) {
  const std::size_t size = read.labels.size();
  const auto unread = tracer.masked_slices(weight.tensor, weight.in_axis);
  Consumer consumer{tracer.describe(call),      read.labels,  read.dead, std::vector<double>(size, 0),
                    std::vector<char>(size, 1), std::nullopt, true};
  for (std::size_t i = 0; i < size; ++i) consumer.removable[i] |= unread[i];
  const std::string path = tracer.path(weight.tensor);
  consumer.mixing = Mixing{{path, weight.out_axis}, {path, weight.in_axis}, tracer.path(bias), {}};
  if (!bias.defined()) consumer.mixing->batch_mean = batch_mean_behind(call.node, tracer.flat());
  measure(consumer, input, read.axis, padded, unread);
  tracer.trace().consumers.push_back(std::move(consumer));
}

/// A layer whose every output channel reads every input channel.
void mix(Tracer& tracer, const Call& call, const at::Tensor& input, std::int64_t axis, const Weight& weight,
         const at::Tensor& bias, bool padded) {
  const bool known_bias = !bias.defined() || !tracer.path(bias).empty();
  const Channels read = tracer.channels_or_fixed(input, axis);
  if (tracer.path(weight.tensor).empty() || !known_bias || read.axis != axis) return tracer.refuse(call, input);
  tracer.bind(weight.tensor, weight.in_axis, read.labels);
  add_mixing_consumer(tracer, call, input, read, weight, bias, padded);
  const auto made = tracer.labels_of(weight.tensor, weight.out_axis);
  if (bias.defined()) {
    tracer.bind(bias, 0, made);
    ++tracer.trace().uses[tracer.path(bias)];
  }
  tracer.set(call.output(), {axis, made, tracer.masked_slices(weight.tensor, weight.out_axis)});
}

void note_pass_through(Tracer& tracer, const at::Tensor& weight, const at::Tensor& bias, std::vector<char> dead) {
  tracer.trace().pass_through.push_back({tracer.path(weight), tracer.path(bias), std::move(dead)});
}

/// A convolution with one input channel a group: makes `weight.size(0) / groups` channels of each and mixes none.
void depthwise(Tracer& tracer, const Call& call, const at::Tensor& input, std::int64_t axis, const at::Tensor& weight,
               const at::Tensor& bias) {
  const Channels read = tracer.channels_or_fixed(input, axis);
  const bool known_bias = !bias.defined() || !tracer.path(bias).empty();
  if (tracer.path(weight).empty() || !known_bias || read.axis != axis) return tracer.refuse(call, input);
  const auto multiplier = static_cast<std::size_t>(weight.size(0)) / read.labels.size();
  Channels made{axis, {}, tracer.masked_slices(weight, 0)};
  std::vector<char> dead;
  for (std::size_t i = 0; i < made.dead.size(); ++i) {
    made.labels.push_back(read.labels[i / multiplier]);
    dead.push_back(read.dead[i / multiplier]);
    made.dead[i] |= dead.back();
  }
  tracer.bind(weight, 0, made.labels);
  if (bias.defined()) tracer.bind(bias, 0, made.labels);
  note_pass_through(tracer, weight, bias, std::move(dead));
  tracer.add_literal(call, "groups", std::nullopt, read.labels);
  tracer.set(call.output(), std::move(made));
}

void convolution(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const at::Tensor weight = call.tensor("weight");
  const auto transposed = call.argument("transposed");
  const auto groups = call.argument("groups").toInt();
  const std::int64_t axis = input.dim() - weight.dim() + 1;
  if (transposed.isBool() && transposed.toBool()) return tracer.refuse(call, input);
  if (groups == 1)
    return mix(tracer, call, input, axis, {weight}, call.tensor("bias"), is_padded(call.argument("padding")));
  if (weight.size(1) == 1) return depthwise(tracer, call, input, axis, weight, call.tensor("bias"));
  tracer.refuse(call, input);
}

void linear(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  mix(tracer, call, input, input.dim() - 1, {call.tensor("weight")}, call.tensor("bias"), false);
}

/// A matrix on the right of a product: a parameter, or its transpose.
Weight right_matrix(const Tracer& tracer, const at::Tensor& matrix) {
  const at::Tensor parameter = tracer.transposed_parameter(matrix);
  return parameter.defined() ? Weight{parameter, 0, 1} : Weight{matrix, 1, 0};
}

void addmm(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("mat1");
  const at::Tensor bias = call.tensor("self");
  const auto is_one = [&](const char* name) { return call.argument(name).toScalar().toDouble() == 1.0; };
  if (!is_one("beta") || !is_one("alpha") || bias.dim() != 1) return tracer.refuse(call, input);
  mix(tracer, call, input, 1, right_matrix(tracer, call.tensor("mat2")), bias, false);
}

void matmul(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const at::Tensor matrix = call.tensor(call.node->kind() == c10::aten::mm ? "mat2" : "other");
  const Weight weight = right_matrix(tracer, matrix);
  if (matrix.dim() == 2 && !tracer.path(weight.tensor).empty())
    return mix(tracer, call, input, input.dim() - 1, weight, {}, false);
  tracer.refuse(call, input);
  tracer.refuse(call, matrix);
}

void transpose_matrix(Tracer& tracer, const Call& call) {
  const at::Tensor matrix = call.tensor("self");
  if (!tracer.path(matrix).empty()) return tracer.note_transpose(matrix, call.output());
  find_shape_rule("aten::transpose")(tracer, call);
}

void batch_norm(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const at::Tensor mean = call.tensor("running_mean");
  if (call.argument("training").toBool() && mean.defined())
    throw std::runtime_error(
        fmt::format("{} uses the statistics of the batch even in eval mode: the model was traced "
                    "while training; trace it after model.eval(), or script it",
                    tracer.describe(call)));
  ++tracer.trace().uses[tracer.path(mean)];
  const Channels* read = tracer.channels(input);
  if (!read) return;
  if (read->axis != 1) return tracer.refuse(call, input);
  Channels made = *read;
  const at::Tensor weight = call.tensor("weight");
  note_pass_through(tracer, weight, call.tensor("bias"), made.dead);
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) {
    const at::Tensor parameter = call.tensor(name);
    if (!parameter.defined()) continue;
    if (tracer.path(parameter).empty()) return tracer.refuse(call, input);
    tracer.bind(parameter, 0, made.labels);
  }
  if (weight.defined()) {
    const auto masked = tracer.masked_slices(weight, 0);
    for (std::size_t i = 0; i < masked.size(); ++i) made.dead[i] |= masked[i];
  }
  tracer.set(call.output(), std::move(made));
}

void prelu(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const at::Tensor weight = call.tensor("weight");
  const Channels* read = tracer.channels(input);
  if (!read) return;
  const bool per_channel = weight.numel() > 1;
  if (per_channel && (read->axis != 1 || tracer.path(weight).empty())) return tracer.refuse(call, input);
  const Channels made = *read;
  if (per_channel) tracer.bind(weight, 0, made.labels);
  tracer.set(call.output(), made);
}

void dropout(Tracer& tracer, const Call& call) {
  if (call.argument("train").toBool())
    throw std::runtime_error(
        fmt::format("{} drops values even in eval mode: the model was traced while training; trace "
                    "it after model.eval(), or script it",
                    tracer.describe(call)));
  find_elementwise_rule("aten::relu")(tracer, call);
}

}  // namespace

Rule find_layer_rule(const std::string& name) {
  static const std::map<std::string_view, Rule> rules{{"aten::conv1d", convolution},
                                                      {"aten::conv2d", convolution},
                                                      {"aten::conv3d", convolution},
                                                      {"aten::_convolution", convolution},
                                                      {"aten::convolution", convolution},
                                                      {"aten::linear", linear},
                                                      {"aten::addmm", addmm},
                                                      {"aten::matmul", matmul},
                                                      {"aten::mm", matmul},
                                                      {"aten::t", transpose_matrix},
                                                      {"aten::batch_norm", batch_norm},
                                                      {"aten::prelu", prelu},
                                                      {"aten::dropout", dropout},
                                                      {"aten::dropout_", dropout},
                                                      {"aten::feature_dropout", dropout},
                                                      {"aten::feature_dropout_", dropout},
                                                      {"aten::alpha_dropout", dropout},
                                                      {"aten::alpha_dropout_", dropout},
                                                      {"aten::feature_alpha_dropout", dropout}};
  const auto found = rules.find(name);
  return found == rules.end() ? nullptr : found->second;
}

}  // namespace lathe::compression

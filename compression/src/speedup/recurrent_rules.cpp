// LSTM, GRU and plain recurrent layers: the features they read can go, their hidden state stays whole. And PyTorch's
// fused transformer encoder layer, whose hidden layer between the two linear ones can go.
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>

#include "speedup/mixing.hpp"
#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kHiddenState = "a recurrent layer keeps the size of its hidden state";

/// Those of the first layer, one a direction, are the ones that read the input.
void recurrent(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const auto parameters = tensors_in(call.argument("params"));
  const bool biased = call.argument("has_biases").toBool();
  const std::size_t step = biased ? 4 : 2;
  const std::size_t directions = call.argument("bidirectional").toBool() ? 2 : 1;
  const bool known = parameters.size() >= step * directions && tracer.is_parameter(parameters[0]);
  if (!known || input.dim() < 2) return tracer.keep(call, input, kHiddenState);
  for (const auto& state : tensors_in(call.argument("hx"))) tracer.keep(call, state, kHiddenState);
  for (std::size_t i = 0; i < directions; ++i) {
    const at::Tensor& weight = parameters[i * step];
    read_through(tracer, call,
                 {.input = input,
                  .axis = input.dim() - 1,
                  .weight = weight,
                  .bias = biased ? parameters[i * step + 2] : at::Tensor()});
    if (biased) ++tracer.trace().uses[tracer.path(parameters[i * step + 2])];
    tracer.pin(tracer.labels_of(*tracer.parameter_axis(weight, 0), weight.size(0)));
  }
  for (const auto& parameter : parameters)
    if (const auto axis = tracer.parameter_axis(parameter, 0)) tracer.pin(tracer.labels_of(*axis, parameter.size(0)));
  for (std::size_t i = step * directions; i < parameters.size(); ++i) tracer.keep(call, parameters[i], kHiddenState);
}

/// The hidden layer's channels as the second linear layer reads them.
Channels hidden_channels(Tracer& tracer, const Call& call, const at::Tensor& weight, const at::Tensor& bias) {
  const auto labels = tracer.labels_of(*tracer.parameter_axis(weight, 0), weight.size(0));
  tracer.bind(*tracer.parameter_axis(bias, 0), labels);
  Channels hidden = live_channels(1, 0, labels);
  hidden.dead = tracer.masked_slices(weight, 0);
  const at::Tensor constant = bias.detach().to(at::kCPU, at::kDouble);
  hidden.value = call.argument("use_gelu").toBool() ? at::gelu(constant) : at::relu(constant);
  return hidden;
}

/// _transformer_encoder_layer_fwd: attention and norms stay whole.
void encoder_layer(Tracer& tracer, const Call& call) {
  const at::Tensor first = call.tensor("ffn_weight_1");
  const at::Tensor second = call.tensor("ffn_weight_2");
  const at::Tensor first_bias = call.tensor("ffn_bias_1");
  const at::Tensor second_bias = call.tensor("ffn_bias_2");
  constexpr const char* kFused = "the fused encoder layer keeps the width of its input";
  for (const auto& input : call.inputs)
    for (const auto& tensor : tensors_in(input))
      if (tensor.dim() != 2 || !(tensor.is_same(first) || tensor.is_same(second)))
        if (!tensor.is_same(first_bias) && !tensor.is_same(second_bias)) tracer.keep(call, tensor, kFused);
  const bool known = tracer.parameter_axis(first, 0) && tracer.parameter_axis(first_bias, 0) &&
                     tracer.parameter_axis(second, 1) && !tracer.path(second_bias).empty();
  if (!known) return;
  const Channels hidden = hidden_channels(tracer, call, first, first_bias);
  tracer.pin(tracer.labels_of(*tracer.parameter_axis(first, 1), first.size(1)));
  const auto out = tracer.labels_of(*tracer.parameter_axis(second, 0), second.size(0));
  tracer.pin(out);
  tracer.bind({tracer.path(second_bias), 0}, out);
  ++tracer.trace().uses[tracer.path(second_bias)];
  tracer.trace().made.push_back(*tracer.parameter_axis(first, 0));
  read_channels(tracer, call, hidden, {.axis = 0, .weight = second, .bias = second_bias});
}

}  // namespace

const RuleTable& recurrent_rules() {
  static const RuleTable rules{{"lstm", recurrent},
                               {"gru", recurrent},
                               {"rnn_tanh", recurrent},
                               {"rnn_relu", recurrent},
                               {"_transformer_encoder_layer_fwd", encoder_layer}};
  return rules;
}

}  // namespace lathe::compression

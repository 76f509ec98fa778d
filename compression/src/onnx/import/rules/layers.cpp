// Operators with weights, which become submodules that pruners and quantizers find.
#include <algorithm>
#include <string>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "onnx/import/node_call.hpp"
#include "onnx/import/rules/padding.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// One weight that several nodes use in the same way is one module.
std::string shared(NodeCall& call, const std::string& key, const std::string& name_source, const LeafModule& leaf) {
  std::string& module = call.builder().shared_module(key);
  if (module.empty()) module = call.module(name_source, leaf);
  return module;
}

/// What tells one use of a weight from another: names of the inputs but the first, and all settings.
std::string key_of(const NodeCall& call, const std::string& settings) {
  std::string key = call.node().type + "|" + settings;
  for (std::size_t i = 1; i < call.input_count(); ++i) key += "|" + call.node().inputs[i];
  return key;
}

struct ConvSettings {
  Ints kernel;
  Ints strides;
  Ints dilations;
  Pads pads;
  std::int64_t group;

  ConvSettings(NodeCall& call, std::int64_t rank, const Ints& weight_kernel) {
    if (rank < 3 || rank > 5) call.bad(fmt::format("its weight is of rank {}; expected 3, 4 or 5", rank));
    const auto spatial = static_cast<std::size_t>(rank) - 2;
    kernel = call.integers("kernel_shape", weight_kernel, spatial);
    strides = call.integers("strides", Ints(spatial, 1), spatial);
    dilations = call.integers("dilations", Ints(spatial, 1), spatial);
    group = call.integer("group", 1);
    const auto positive = [](std::int64_t n) { return n > 0; };
    if (!std::all_of(strides.begin(), strides.end(), positive) || group < 1 ||
        !std::all_of(dilations.begin(), dilations.end(), positive)) {
      call.bad("strides, dilations and group must be positive");
    }
  }
};

/// A bias as PyTorch has it: one number a channel, or none.
at::Tensor bias_of(NodeCall& call, std::size_t i, std::int64_t channels) {
  if (!call.has(i)) return {};
  const at::Tensor bias = call.required_constant(i, "bias");
  if (bias.numel() == channels && bias.dim() <= 2) return bias.reshape({channels});
  if (bias.numel() == 1) return bias.reshape({1}).expand({channels}).contiguous();
  call.bad(fmt::format("its bias has {} values for {} channels", bias.numel(), channels));
}

std::vector<std::pair<std::string, at::Tensor>> parameters(const at::Tensor& weight, const at::Tensor& bias) {
  if (!bias.defined()) return {{"weight", weight}};
  return {{"weight", weight}, {"bias", bias}};
}

const char* bias_code(const at::Tensor& bias) {
  return bias.defined() ? "self.bias" : "None";
}

void check_float(NodeCall& call, const at::Tensor& weight) {
  if (!c10::isFloatingType(weight.scalar_type())) call.bad("its weight is not floating-point");
}

/// With a weight that is computed from the input there is nothing to train.
void functional_conv(NodeCall& call) {
  const std::int64_t rank = call.required_rank(1);
  if (!call.has_attribute("kernel_shape") || call.text("auto_pad", "NOTSET") != "NOTSET") {
    call.bad("its weight is computed from the input, and its kernel_shape or padding is not given");
  }
  ConvSettings settings(call, rank, {});
  settings.pads = pads_of(call, settings.kernel, settings.strides, settings.dilations);
  const std::string bias = call.has(2) ? call.in(2) : "None";
  call.out(fmt::format("torch.conv{}d({}, {}, {}, {}, {}, {}, {})", rank - 2, padded(call.in(0), settings.pads, "0."),
                       call.in(1), bias, list_code(settings.strides), list_code(settings.pads.inside()),
                       list_code(settings.dilations), settings.group));
}

void conv(NodeCall& call) {
  const at::Tensor weight = call.constant(1);
  if (!weight.defined()) return functional_conv(call);
  check_float(call, weight);
  if (weight.dim() < 3 || weight.dim() > 5) call.bad(fmt::format("its weight is of rank {}", weight.dim()));
  ConvSettings settings(call, weight.dim(), weight.sizes().slice(2).vec());
  if (settings.kernel != weight.sizes().slice(2).vec()) call.bad("kernel_shape is not that of its weight");
  settings.pads = pads_of(call, settings.kernel, settings.strides, settings.dilations);
  const at::Tensor bias = bias_of(call, 2, weight.size(0));
  const std::int64_t spatial = weight.dim() - 2;
  const std::string code =
      fmt::format("  return torch.conv{}d({}, self.weight, {}, {}, {}, {}, {})\n", spatial,
                  padded("x", settings.pads, "0."), bias_code(bias), list_code(settings.strides),
                  list_code(settings.pads.inside()), list_code(settings.dilations), settings.group);
  const LeafModule leaf{fmt::format("torch.nn.modules.conv.Conv{}d", spatial), parameters(weight, bias), {}, code};
  call.out(fmt::format("{}({})", shared(call, key_of(call, code), call.input_name(1), leaf), call.in(0)));
}

void conv_transpose(NodeCall& call) {
  const at::Tensor weight = call.required_constant(1, "weight");
  check_float(call, weight);
  if (weight.dim() < 3 || weight.dim() > 5) call.bad(fmt::format("its weight is of rank {}", weight.dim()));
  ConvSettings settings(call, weight.dim(), weight.sizes().slice(2).vec());
  if (call.has_attribute("output_shape")) call.bad("output_shape is not supported");
  const std::int64_t spatial = weight.dim() - 2;
  const Pads cut = transposed_pads(call, settings.kernel, settings.strides, settings.dilations);
  const auto extra =
      call.integers("output_padding", Ints(static_cast<std::size_t>(spatial), 0), static_cast<std::size_t>(spatial));
  const at::Tensor bias = bias_of(call, 2, weight.size(1) * settings.group);
  // What PyTorch cannot cut off evenly is cut off afterwards.
  const std::string code =
      fmt::format("  y = torch.conv_transpose{}d(x, self.weight, {}, {}, {}, {}, {}, {})\n  return {}\n", spatial,
                  bias_code(bias), list_code(settings.strides), list_code(cut.inside()), list_code(extra),
                  settings.group, list_code(settings.dilations), padded("y", cut.negative(), "0."));
  const LeafModule leaf{
      fmt::format("torch.nn.modules.conv.ConvTranspose{}d", spatial), parameters(weight, bias), {}, code};
  call.out(fmt::format("{}({})", shared(call, key_of(call, code), call.input_name(1), leaf), call.in(0)));
}

/// `weight` is out x in, as PyTorch has it.
void linear(NodeCall& call, const std::string& input, const at::Tensor& weight, const at::Tensor& bias,
            const std::string& name_source, const std::string& key) {
  const std::string code = fmt::format("  return torch.linear(x, self.weight, {})\n", bias_code(bias));
  const LeafModule leaf{"torch.nn.modules.linear.Linear", parameters(weight.contiguous(), bias), {}, code};
  call.out(fmt::format("{}({})", shared(call, key, name_source, leaf), input));
}

/// alpha * A' * B' + beta * C
void gemm(NodeCall& call) {
  const double alpha = call.real("alpha", 1);
  const double beta = call.real("beta", 1);
  const bool trans_a = call.integer("transA", 0) != 0;
  const bool trans_b = call.integer("transB", 0) != 0;
  const at::Tensor b = call.constant(1);
  const std::string a = call.in(0) + (trans_a ? ".t()" : "");
  const bool plain_bias = !call.has(2) || (call.constant(2).defined() && call.constant(2).dim() <= 1);
  if (b.defined() && b.dim() == 2 && c10::isFloatingType(b.scalar_type()) && plain_bias) {
    at::Tensor weight = trans_b ? b : b.t();
    at::Tensor bias = bias_of(call, 2, weight.size(0));
    if (alpha != 1) weight = weight * alpha;
    if (beta != 1 && bias.defined()) bias = bias * beta;
    return linear(call, a, weight, bias, call.input_name(1),
                  key_of(call, fmt::format("{} {} {}", alpha, beta, trans_b)));
  }
  const std::string product =
      fmt::format("torch.mm({}, {}{}) * {}", a, call.in(1), trans_b ? ".t()" : "", number_code(alpha));
  call.out(call.has(2) ? fmt::format("{} + {} * {}", product, call.in(2), number_code(beta)) : product);
}

/// The bias that an Add behind the product brings, if that is all the product is for.
const Node* bias_node(NodeCall& call, std::int64_t channels, at::Tensor& bias, std::string& bias_name) {
  const Node* next = call.builder().only_reader(call.node().outputs[0]);
  if (next == nullptr || next->type != "Add" || !next->domain.empty() || next->inputs.size() != 2) return nullptr;
  if (next->outputs.size() != 1) return nullptr;
  bias_name = next->inputs[0] == call.node().outputs[0] ? next->inputs[1] : next->inputs[0];
  bias = call.builder().value(bias_name).constant;
  return bias.defined() && bias.dim() == 1 && bias.size(0) == channels ? next : nullptr;
}

void matmul(NodeCall& call) {
  const at::Tensor weight = call.constant(1);
  if (!weight.defined() || weight.dim() != 2 || !c10::isFloatingType(weight.scalar_type())) {
    return call.out(fmt::format("torch.matmul({}, {})", call.in(0), call.in(1)));
  }
  at::Tensor bias;
  std::string bias_name;
  const Node* add = bias_node(call, weight.size(1), bias, bias_name);
  linear(call, call.in(0), weight.t(), add != nullptr ? bias : at::Tensor(), call.input_name(1),
         key_of(call, add != nullptr ? bias_name : ""));
  if (add == nullptr) return;
  call.builder().value(add->outputs[0]) = call.builder().value(call.node().outputs[0]);
  call.builder().skip(add);
}

/// With statistics of the input itself, as TensorFlow writes its layer normalisation, there is nothing to learn.
void functional_batch_norm(NodeCall& call) {
  Ints shape(static_cast<std::size_t>(call.required_rank(0)), 1);
  if (shape.size() < 2) call.bad("its input has no channels");
  shape[1] = -1;
  const auto along_channels = [&](std::size_t i) {
    return fmt::format("{}.reshape({})", call.in(i), list_code(shape));
  };
  call.out(fmt::format("({} - {}) * torch.rsqrt({} + {}) * {} + {}", call.in(0), along_channels(3), along_channels(4),
                       number_code(call.real("epsilon", 1e-5)), along_channels(1), along_channels(2)));
}

/// `training_mode` says how the file was written: the module follows train() and eval(), and its new statistics are not
/// an output of it.
void batch_norm(NodeCall& call) {
  for (std::size_t i = 1; i < 5; ++i)
    if (call.has(i) && !call.constant(i).defined()) return functional_batch_norm(call);
  const at::Tensor weight = call.required_constant(1, "scale");
  const std::int64_t channels = weight.numel();
  for (std::size_t i = 1; i < 5; ++i) {
    if (call.required_constant(i, "statistics").numel() != channels) call.bad("its channels differ in number");
  }
  const auto rank = call.rank(0).value_or(4);
  const std::string type = rank >= 5 ? "BatchNorm3d" : rank == 4 ? "BatchNorm2d" : "BatchNorm1d";
  const std::string code = fmt::format(
      "  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, {}, "
      "{}, "
      "False)\n",
      number_code(1 - call.real("momentum", 0.9)), number_code(call.real("epsilon", 1e-5)));
  const LeafModule leaf{
      "torch.nn.modules.batchnorm." + type,
      parameters(weight.reshape({channels}), call.constant(2).reshape({channels})),
      {{"running_mean", call.constant(3).reshape({channels})}, {"running_var", call.constant(4).reshape({channels})}},
      code};
  call.out(fmt::format("{}({})", shared(call, key_of(call, code), call.input_name(1), leaf), call.in(0)));
}

void instance_norm(NodeCall& call) {
  const at::Tensor weight = call.required_constant(1, "scale");
  const std::string code =
      fmt::format("  return torch.instance_norm(x, self.weight, self.bias, None, None, True, 0.1, {}, False)\n",
                  number_code(call.real("epsilon", 1e-5)));
  const auto rank = call.rank(0).value_or(4);
  const LeafModule leaf{
      fmt::format("torch.nn.modules.instancenorm.InstanceNorm{}d", std::clamp<std::int64_t>(rank - 2, 1, 3)),
      parameters(weight, bias_of(call, 2, weight.numel())),
      {},
      code};
  call.out(fmt::format("{}({})", shared(call, key_of(call, code), call.input_name(1), leaf), call.in(0)));
}

void layer_norm(NodeCall& call) {
  const at::Tensor weight = call.required_constant(1, "scale");
  const std::int64_t rank = call.required_rank(0);
  const std::int64_t axis = call.wrapped(call.integer("axis", -1), rank);
  if (weight.dim() != rank - axis) call.bad("its scale is not of the shape that it normalises");
  const at::Tensor bias = call.has(2) ? call.required_constant(2, "bias") : at::Tensor();
  const std::string code =
      fmt::format("  return torch.layer_norm(x, {}, self.weight, {}, {})\n", list_code(weight.sizes().vec()),
                  bias_code(bias), number_code(call.real("epsilon", 1e-5)));
  const LeafModule leaf{"torch.nn.modules.normalization.LayerNorm", parameters(weight, bias), {}, code};
  call.out(fmt::format("{}({})", shared(call, key_of(call, code), call.input_name(1), leaf), call.in(0)));
}

/// PyTorch's slopes are one for all, or one for each channel in dimension 1.
void prelu(NodeCall& call) {
  const at::Tensor slope = call.required_constant(1, "slope");
  const std::int64_t rank = call.required_rank(0);
  bool per_channel = slope.dim() == rank - 1 || (rank == 2 && slope.dim() == 1);
  for (std::int64_t axis = 1; axis < slope.dim(); ++axis) per_channel &= slope.size(axis) == 1;
  if (slope.numel() != 1 && !per_channel) {
    const std::string x = call.in(0);
    return call.out(fmt::format("torch.clamp({0}, min=0.) + {1} * torch.clamp({0}, max=0.)", x, call.in(1)));
  }
  const LeafModule leaf{"torch.nn.modules.activation.PReLU",
                        parameters(slope.reshape({-1}), {}),
                        {},
                        "  return torch.prelu(x, self.weight)\n"};
  call.out(fmt::format("{}({})", shared(call, key_of(call, ""), call.input_name(1), leaf), call.in(0)));
}

}  // namespace

const Rules& layer_rules() {
  static const Rules rules{{"Conv", conv},
                           {"ConvTranspose", conv_transpose},
                           {"Gemm", gemm},
                           {"MatMul", matmul},
                           {"BatchNormalization", batch_norm},
                           {"InstanceNormalization", instance_norm},
                           {"LayerNormalization", layer_norm},
                           {"PRelu", prelu}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

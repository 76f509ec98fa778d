// Batch, group, instance and layer normalisation.
#include <string>

#include <ATen/Functions.h>

#include "onnx/rules/compositions.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// The per-channel tensor argument, or one value for each of `channels`.
std::string per_channel(OpCall& call, const char* argument, std::int64_t channels, double otherwise,
                        at::ScalarType type) {
  const at::Tensor given = call.tensor(argument);
  return given.defined() ? call.name(given) : call.constant(at::full({channels}, otherwise, type));
}

std::string with_statistics(OpCall& call, const at::Tensor& x) {
  const std::int64_t channels = call.fixed_size(x, 1);
  const auto type = x.scalar_type();
  return call.add("BatchNormalization",
                  {call.name(x), per_channel(call, "weight", channels, 1, type),
                   per_channel(call, "bias", channels, 0, type), call.in("running_mean"), call.in("running_var")},
                  {{"epsilon", call.number("eps")}});
}

void batch_norm(OpCall& call) {
  if (call.flag("training")) {
    throw Unsupported("it takes the statistics of the batch (no running statistics, or traced in training mode)");
  }
  call.out(with_statistics(call, call.required("input")));
}

void instance_norm(OpCall& call) {
  const at::Tensor x = call.required("input");
  if (!call.flag("use_input_stats")) return call.out(with_statistics(call, x));
  const std::int64_t channels = call.fixed_size(x, 1);
  const auto type = x.scalar_type();
  call.out(call.add(
      "InstanceNormalization",
      {call.name(x), per_channel(call, "weight", channels, 1, type), per_channel(call, "bias", channels, 0, type)},
      {{"epsilon", call.number("eps")}}));
}

/// Groups are the instances of one that is laid out as batch x groups x everything else.
void group_norm(OpCall& call) {
  const at::Tensor x = call.required("input");
  const std::int64_t groups = call.integer("num_groups");
  const auto type = x.scalar_type();
  const Sizes dims = call.dims(x);
  std::int64_t rest = 1;
  for (std::int64_t i = 1; i < x.dim(); ++i) rest *= call.fixed_size(x, i);
  const Sizes grouped{dims[0], {0, groups}, {0, rest / groups}};
  const std::string ones = call.constant(at::ones({groups}, type));
  const std::string zeros = call.constant(at::zeros({groups}, type));
  std::string y = call.add("InstanceNormalization", {call.reshape(call.name(x), dims, grouped), ones, zeros},
                           {{"epsilon", call.number("eps")}});
  y = call.reshape(y, grouped, dims);
  std::vector<std::int64_t> per_channel_shape(static_cast<std::size_t>(x.dim()) - 1, 1);
  per_channel_shape[0] = call.fixed_size(x, 1);
  const auto spread = [&](const at::Tensor& tensor) {
    return call.reshape(call.name(tensor), call.dims(tensor), fixed_sizes(per_channel_shape));
  };
  if (call.tensor("weight").defined()) y = call.add("Mul", {y, spread(call.tensor("weight"))});
  if (call.tensor("bias").defined()) y = call.add("Add", {y, spread(call.tensor("bias"))});
  call.out(y);
}

void any_layer_norm(OpCall& call) {
  const at::Tensor x = call.required("input");
  const auto dimensions = static_cast<std::int64_t>(call.integers("normalized_shape").size());
  call.out(layer_norm(call, call.name(x),
                      {x.scalar_type(), dimensions, call.tensor("weight"), call.tensor("bias"), call.number("eps")}));
}

}  // namespace

const RuleTable& normalization_rules() {
  static const RuleTable table{{"aten::batch_norm", batch_norm},
                               {"aten::instance_norm", instance_norm},
                               {"aten::group_norm", group_norm},
                               {"aten::layer_norm", any_layer_norm}};
  return table;
}

}  // namespace lathe::compression::onnx_out

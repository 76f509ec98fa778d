// Operators of one tensor that work on each value alone.
#include <cmath>
#include <exception>

#include <ATen/ops/full_like.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

/// What the operator makes of the constants; NaN when it will not take them.
at::Tensor constants_after(const Call& call, const at::Tensor& value) {
  Values inputs = call.inputs;
  inputs.at(0) = value.clone();
  try {
    const at::Tensor result = call.rerun(inputs).toTensor();
    if (result.sizes() == value.sizes()) return result.to(at::kDouble);
  } catch (const std::exception&) {  // an argument that fits the whole tensor alone
  }
  return at::full_like(value, NAN);
}

/// Conversions, whose other arguments (another tensor, a device) say nothing about values.
void convert(Tracer& tracer, const Call& call) {
  if (const auto read = tracer.channels(call.first())) return tracer.set(call.output(), *read, call);
  if (tracer.is_parameter(call.first()) && call.output().is_same(call.first())) return;
  if (!tracer.is_parameter(call.first())) return;
  std::vector<std::optional<std::int64_t>> axes;
  for (std::int64_t axis = 0; axis < call.output().dim(); ++axis) axes.emplace_back(axis);
  tracer.note_view(call.first(), call.output(), axes);
}

/// zeros_like and its kin: the shape is the input's, the values are not.
void shaped_like(Tracer& tracer, const Call& call) {
  const auto read = tracer.channels(call.first());
  if (!read) return;
  Channels made = *read;
  made.dead = made.dead.clone().fill_(true);
  made.value = constants_after(call, made.value);
  tracer.set(call.output(), made, call);
}

/// Random values for each position.
void random_like(Tracer& tracer, const Call& call) {
  const auto read = tracer.channels(call.first());
  if (!read) return;
  Channels made = *read;
  made.dead = made.dead.clone().fill_(false);
  tracer.set(call.output(), made, call);
}

}  // namespace

void pointwise(Tracer& tracer, const Call& call) {
  const auto read = tracer.channels(call.first());
  if (!read) return;
  Channels made = *read;
  if (made.dead.any().item<bool>()) made.value = constants_after(call, made.value);
  tracer.set(call.output(), made, call);
}

const RuleTable& pointwise_rules() {
  static const RuleTable rules = [] {
    RuleTable table;
    for (const char* name :
         {"relu",        "relu6",       "hardtanh",    "leaky_relu", "elu",       "selu",     "celu",
          "gelu",        "sigmoid",     "tanh",        "silu",       "mish",      "softplus", "hardswish",
          "hardsigmoid", "softshrink",  "hardshrink",  "clamp_min",  "clamp_max", "abs",      "absolute",
          "tanhshrink",  "log_sigmoid", "threshold",   "neg",        "negative",  "exp",      "expm1",
          "exp2",        "log",         "log1p",       "log2",       "log10",     "sqrt",     "rsqrt",
          "square",      "reciprocal",  "erf",         "erfc",       "sin",       "cos",      "tan",
          "asin",        "acos",        "atan",        "sinh",       "cosh",      "asinh",    "acosh",
          "atanh",       "floor",       "ceil",        "round",      "trunc",     "frac",     "sign",
          "sgn",         "logical_not", "bitwise_not", "isnan",      "isinf",     "isfinite", "nan_to_num",
          "rrelu",       "softsign",    "logit",       "sinc",       "digamma",   "lgamma",   "fill",
          "zero"})
      table.emplace(name, pointwise);
    for (const char* name : {"contiguous", "clone", "detach", "to", "type_as", "float", "double", "half", "alias",
                             "_cast_Float", "cpu", "cuda", "lift_fresh", "requires_grad", "positive"})
      table.emplace(name, convert);
    for (const char* name : {"zeros_like", "ones_like", "full_like"}) table.emplace(name, shaped_like);
    for (const char* name : {"empty_like", "rand_like", "randn_like", "bernoulli"}) table.emplace(name, random_like);
    return table;
  }();
  return rules;
}

}  // namespace lathe::compression

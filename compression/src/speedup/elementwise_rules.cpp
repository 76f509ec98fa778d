// Sums, products and choices of several tensors, position by position.
#include <algorithm>
#include <cmath>
#include <exception>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

/// A tensor that takes part, by its place among the inputs.
struct Operand {
  std::size_t input = 0;
  at::Tensor tensor;
  std::optional<Channels> channels;  ///< with as many dimensions as the result
  at::Tensor zero{};                 ///< which of them are zero because of the masks
};

struct Joined {
  std::vector<Operand> operands;
  std::vector<std::int64_t> shape;  ///< of the channels of the result
  bool constant = true;             ///< whatever has no channels is the same for any input
  bool fits = true;                 ///< nothing of fixed size meets the channels
};

Joined collect(const Tracer& tracer, const Call& call) {
  Joined joined;
  const std::int64_t dimensions = call.output().dim();
  joined.shape.assign(static_cast<std::size_t>(dimensions), 1);
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    if (!call.inputs[i].isTensor() || !call.inputs[i].toTensor().defined()) continue;
    Operand operand{i, call.inputs[i].toTensor(), tracer.channels(call.inputs[i].toTensor())};
    if (operand.channels) {
      operand.channels = padded_to(*operand.channels, dimensions);
      operand.zero = operand.channels->dead.logical_and(operand.channels->value.eq(0));
      for (std::size_t axis = 0; axis < joined.shape.size(); ++axis)
        joined.shape[axis] = std::max(joined.shape[axis], operand.channels->labels.size(static_cast<int>(axis)));
    }
    joined.operands.push_back(std::move(operand));
  }
  return joined;
}

/// Axes of the operand, from its own front, along which it has a value for each channel of the result.
std::vector<std::int64_t> met_axes(const Operand& operand, const Joined& joined) {
  std::vector<std::int64_t> axes;
  const auto missing = static_cast<std::int64_t>(joined.shape.size()) - operand.tensor.dim();
  for (std::int64_t axis = 0; axis < operand.tensor.dim(); ++axis)
    if (operand.tensor.size(axis) > 1 && joined.shape[static_cast<std::size_t>(axis + missing)] > 1)
      axes.push_back(axis);
  return axes;
}

/// A parameter with a value for each channel is cut with them; its other axes stay.
bool join_parameter(Tracer& tracer, Operand& operand, const std::vector<std::int64_t>& axes, std::int64_t dimensions) {
  if (axes.size() != 1 || !tracer.parameter_axis(operand.tensor, axes[0])) return false;
  const auto labels = tracer.labels_of(*tracer.parameter_axis(operand.tensor, axes[0]), operand.tensor.size(axes[0]));
  for (std::int64_t axis = 0; axis < operand.tensor.dim(); ++axis) {
    const auto other = tracer.parameter_axis(operand.tensor, axis);
    if (axis != axes[0] && other && operand.tensor.size(axis) > 1)
      tracer.pin(tracer.labels_of(*other, operand.tensor.size(axis)));
  }
  Channels channels = live_channels(operand.tensor.dim(), axes[0], labels);
  channels.dead.fill_(true);
  channels.value = uniform_values(operand.tensor.detach().to(at::kCPU, at::kDouble), channels.value.sizes());
  operand.channels = padded_to(channels, dimensions);
  // A zero that no mask asked for may be where training starts from.
  operand.zero = tracer.masked_slices(operand.tensor, axes[0]).view(operand.channels->dead.sizes());
  return true;
}

void join_others(Tracer& tracer, const Call& call, Joined& joined) {
  for (auto& operand : joined.operands) {
    if (operand.channels) continue;
    const auto axes = met_axes(operand, joined);
    if (!axes.empty() && !join_parameter(tracer, operand, axes, call.output().dim())) {
      tracer.keep(call, operand.tensor, kFixedPartner);
      joined.fits = false;
    }
    if (!operand.channels && !tracer.is_constant(operand.tensor)) joined.constant = false;
  }
}

/// What the operator makes of the constants of each channel; NaN where that differs from place to place.
at::Tensor constants_after(const Call& call, const Joined& joined) {
  Values inputs = call.inputs;
  for (const auto& operand : joined.operands) {
    const at::Tensor& value = operand.tensor;
    inputs[operand.input] = operand.channels ? operand.channels->value.expand(joined.shape).clone() : value.detach();
    if (operand.channels && !value.is_floating_point()) inputs[operand.input] = operand.channels->value.ne(0);
  }
  try {
    return uniform_values(call.rerun(inputs).toTensor().to(at::kCPU, at::kDouble), joined.shape);
  } catch (const std::exception&) {  // arguments that fit the whole tensors alone
    return at::zeros(joined.shape, at::kDouble).fill_(NAN);
  }
}

/// Inputs that make the result zero wherever they are.
bool zero_wins(const Call& call, const Operand& operand) {
  const auto name = call.name();
  return name == "mul" || name == "multiply" ||
         ((name == "div" || name == "divide" || name == "true_divide") && operand.input == 0);
}

Channels combine(Tracer& tracer, const Call& call, const Joined& joined) {
  Channels made;
  at::Tensor zero = at::zeros(joined.shape, at::kBool);
  for (const auto& operand : joined.operands) {
    if (!operand.channels) continue;
    const Channels part = expanded_to(*operand.channels, joined.shape);
    if (zero_wins(call, operand)) zero = zero.logical_or(operand.zero);
    if (!made.labels.defined()) {
      made = part;
      continue;
    }
    tracer.table().unite(labels_in(made.labels), labels_in(part.labels));
    made.dead = made.dead.logical_and(part.dead);
  }
  if (!joined.constant) made.dead = at::zeros(joined.shape, at::kBool);
  made.value = made.dead.any().item<bool>() ? constants_after(call, joined) : at::zeros(joined.shape, at::kDouble);
  made.value = at::where(zero, at::scalar_tensor(0.0, at::kDouble), made.value);
  made.dead = made.dead.logical_or(zero);
  return made;
}

}  // namespace

void elementwise(Tracer& tracer, const Call& call) {
  Joined joined = collect(tracer, call);
  const bool labelled = std::any_of(joined.operands.begin(), joined.operands.end(),
                                    [](const Operand& operand) { return operand.channels.has_value(); });
  if (!labelled) return;
  join_others(tracer, call, joined);
  if (!joined.fits)
    for (const auto& operand : joined.operands) tracer.keep(call, operand.tensor, kFixedPartner);
  tracer.set(call.output(), combine(tracer, call, joined), call);
}

namespace {

/// max and min: of a tensor with another, along an axis, or of everything.
void extreme(Tracer& tracer, const Call& call) {
  if (call.tensor("other").defined()) return elementwise(tracer, call);
  reduce_rules().at("amax")(tracer, call);
}

}  // namespace

const RuleTable& join_rules() {
  static const RuleTable rules = [] {
    RuleTable table;
    for (const char* name :
         {"add",         "sub",        "rsub",        "subtract",     "mul",        "multiply",
          "div",         "divide",     "true_divide", "floor_divide", "maximum",    "minimum",
          "pow",         "where",      "addcmul",     "addcdiv",      "lerp",       "masked_fill",
          "eq",          "ne",         "lt",          "le",           "gt",         "ge",
          "logical_and", "logical_or", "logical_xor", "bitwise_and",  "bitwise_or", "bitwise_xor",
          "__and__",     "__or__",     "atan2",       "fmod",         "remainder",  "copysign",
          "hypot",       "xlogy",      "clamp",       "logaddexp",    "copy",       "squared_difference"})
      table.emplace(name, elementwise);
    table.emplace("max", extreme);
    table.emplace("min", extreme);
    return table;
  }();
  return rules;
}

}  // namespace lathe::compression

// Operators that treat every channel alike: activations, pooling, resizing, and sums and products of tensors.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "speedup/tracer.hpp"

namespace lathe::compression {
namespace {

/// Operators of one tensor that work on each value alone.
const std::set<std::string_view>& pointwise_operators() {
  static const std::set<std::string_view> operators{
      "relu",       "relu6", "hardtanh",  "leaky_relu", "elu",      "selu",       "celu",        "gelu",
      "sigmoid",    "tanh",  "silu",      "mish",       "softplus", "hardswish",  "hardsigmoid", "softshrink",
      "hardshrink", "clamp", "clamp_min", "clamp_max",  "abs",      "tanhshrink", "log_sigmoid", "threshold",
      "neg",        "exp",   "log",       "sqrt",       "rsqrt",    "square",     "reciprocal",  "erf",
      "contiguous", "clone", "detach",    "to",         "type_as",  "float",      "alias",       "softsign"};
  return operators;
}

/// Operators of one tensor that work across its last axes, as many as the name says: `max_pool2d` across two.
const std::map<std::string_view, int>& spatial_operators() {
  static const std::map<std::string_view, int> operators = [] {
    std::map<std::string_view, int> table;
    for (const std::string_view name : {"max_pool1d",
                                        "max_pool2d",
                                        "max_pool3d",
                                        "max_pool1d_with_indices",
                                        "max_pool2d_with_indices",
                                        "avg_pool1d",
                                        "avg_pool2d",
                                        "avg_pool3d",
                                        "lp_pool1d",
                                        "lp_pool2d",
                                        "adaptive_avg_pool1d",
                                        "adaptive_avg_pool2d",
                                        "adaptive_avg_pool3d",
                                        "adaptive_max_pool1d",
                                        "adaptive_max_pool2d",
                                        "adaptive_max_pool3d",
                                        "upsample_nearest1d",
                                        "upsample_nearest2d",
                                        "upsample_linear1d",
                                        "upsample_bilinear2d",
                                        "upsample_bicubic2d",
                                        "reflection_pad1d",
                                        "reflection_pad2d",
                                        "replication_pad1d",
                                        "replication_pad2d"})
      table.emplace(name, name[name.find_first_of("123")] - '0');
    return table;
  }();
  return operators;
}

/// Operators of several tensors, position by position; true: a zero on the left makes a zero.
const std::map<std::string_view, bool>& binary_operators() {
  static const std::map<std::string_view, bool> operators{{"add", false},     {"sub", false}, {"rsub", false},
                                                          {"mul", true},      {"div", true},  {"maximum", false},
                                                          {"minimum", false}, {"pow", false}};
  return operators;
}

/// `aten::relu_` → `relu`; empty for other namespaces.
std::string_view plain_name(std::string_view name) {
  if (!name.starts_with("aten::")) return {};
  name.remove_prefix(6);
  if (name.ends_with('_')) name.remove_suffix(1);
  return name;
}

void unary(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.inputs.at(0).isTensor() ? call.inputs.at(0).toTensor() : at::Tensor();
  const Channels* read = input.defined() ? tracer.channels(input) : nullptr;
  if (!read) return;
  const Channels made = *read;
  const auto spatial = spatial_operators().find(plain_name(call.node->kind().toQualString()));
  const int trailing = spatial == spatial_operators().end() ? 0 : spatial->second;
  if (made.axis >= input.dim() - trailing) return tracer.refuse(call, input);
  for (const auto& output : call.outputs)
    for (const auto& tensor : tensors_in(output)) tracer.set(tensor, made);
}

/// constant_pad_nd pads from the last axis backwards, two numbers an axis.
void constant_pad(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const Channels* read = tracer.channels(input);
  if (!read) return;
  const Channels made = *read;
  const auto padded_axes = static_cast<std::int64_t>(call.argument("pad").toIntVector().size() / 2);
  if (made.axis >= input.dim() - padded_axes) return tracer.refuse(call, input);
  tracer.set(call.output(), made);
}

/// The tensors that take part and what joins them: the channel axis counted from the end, as broadcasting does.
struct Operands {
  std::vector<at::Tensor> labelled;
  std::vector<at::Tensor> others;
  std::int64_t from_end = 0;
  std::size_t size = 0;
  bool aligned = true;
};

Operands sort_operands(const Tracer& tracer, const Call& call) {
  Operands operands;
  for (const auto& input : call.inputs) {
    for (const auto& tensor : tensors_in(input)) {
      const Channels* read = tracer.channels(tensor);
      if (!read || read->labels.size() == 1) {
        operands.others.push_back(tensor);
        continue;
      }
      const std::int64_t from_end = tensor.dim() - read->axis;
      if (operands.labelled.empty()) {
        operands.from_end = from_end;
        operands.size = read->labels.size();
      }
      operands.aligned &= from_end == operands.from_end && read->labels.size() == operands.size;
      operands.labelled.push_back(tensor);
    }
  }
  return operands;
}

std::vector<char> zero_channels(const at::Tensor& tensor, std::int64_t axis) {
  return flags_of(rows_of(tensor, axis).ne(0).any(1).logical_not());
}

/// Takes an operand without labels into account. Its channels, if it has any, are kept or, in a parameter, cut with the
/// others. Returns whether the model's input can change it.
bool join_other(Tracer& tracer, const at::Tensor& other, const Operands& operands, const std::vector<Label>& labels) {
  const std::int64_t axis = other.dim() - operands.from_end;
  const bool has_channels = axis >= 0 && static_cast<std::size_t>(other.size(axis)) == operands.size;
  if (has_channels && !tracer.path(other).empty())
    tracer.bind(other, axis, labels);
  else if (has_channels)
    for (const auto& tensor : operands.labelled) tracer.keep(tensor, "a tensor of fixed size");
  else if (tracer.channels(other))
    tracer.keep(other, "a single channel that is broadcast");
  return !tracer.is_constant(other);
}

void binary(Tracer& tracer, const Call& call) {
  const Operands operands = sort_operands(tracer, call);
  if (operands.labelled.empty()) {
    for (const auto& other : operands.others) tracer.keep(other, "a single channel that is broadcast");
    return;
  }
  if (!operands.aligned) {
    for (const auto& tensor : operands.labelled) tracer.refuse(call, tensor);
    return;
  }
  const at::Tensor& first = operands.labelled.front();
  Channels made = *tracer.channels(first);
  bool constant = true;
  for (const auto& other : operands.others) constant &= !join_other(tracer, other, operands, made.labels);
  const bool zero_wins = binary_operators().at(plain_name(call.node->kind().toQualString()));
  std::vector<char> zero(operands.size, 0);
  std::vector<char> dead(operands.size, constant ? 1 : 0);
  for (const auto& tensor : operands.labelled) {
    const Channels& read = *tracer.channels(tensor);
    tracer.trace().labels.unite(made.labels, read.labels);
    const bool can_win = zero_wins && (call.node->kind() != c10::aten::div || tensor.is_same(first));
    const auto zeros = can_win ? zero_channels(tensor, read.axis) : std::vector<char>(operands.size, 0);
    for (std::size_t i = 0; i < operands.size; ++i) {
      dead[i] &= read.dead[i];
      zero[i] |= static_cast<char>(read.dead[i] & zeros[i]);
    }
  }
  for (std::size_t i = 0; i < operands.size; ++i) made.dead[i] = static_cast<char>(dead[i] | zero[i]);
  made.axis = call.output().dim() - operands.from_end;
  tracer.set(call.output(), std::move(made));
}

}  // namespace

Rule find_elementwise_rule(const std::string& name) {
  const std::string_view plain = plain_name(name);
  if (plain == "constant_pad_nd" || plain == "pad") return constant_pad;
  if (pointwise_operators().contains(plain) || spatial_operators().contains(plain)) return unary;
  return binary_operators().contains(plain) ? binary : nullptr;
}

}  // namespace lathe::compression

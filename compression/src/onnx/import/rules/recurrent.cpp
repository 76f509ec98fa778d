// LSTM, GRU and Elman networks become modules with PyTorch's parameters.
#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {
namespace {

struct Family {
  const char* module;        ///< PyTorch's class
  const char* function;      ///< PyTorch's operator
  Ints gates;                ///< PyTorch's order of ONNX's gates
  std::size_t initial_cell;  ///< the input with the cell state; 0: there is none
};

Family family_of(NodeCall& call) {
  const std::string& type = call.node().type;
  if (type == "LSTM") return {"LSTM", "lstm", {0, 2, 3, 1}, 6};  // ONNX: input, output, forget, cell
  if (type == "RNN") return {"RNN", "rnn_tanh", {0}, 0};
  if (call.integer("linear_before_reset", 0) == 0) call.bad("linear_before_reset 0 is not what PyTorch computes");
  return {"GRU", "gru", {1, 0, 2}, 0};  // ONNX: update, reset, hidden
}

at::Tensor reordered(const at::Tensor& tensor, const Ints& gates) {
  const auto parts = tensor.chunk(static_cast<std::int64_t>(gates.size()), 0);
  std::vector<at::Tensor> order;
  for (const std::int64_t gate : gates) order.push_back(parts.at(static_cast<std::size_t>(gate)));
  return at::cat(order, 0).contiguous();
}

/// Sigmoids and tanhs where PyTorch has them; ONNX takes their names in any case.
bool has_usual_activations(NodeCall& call) {
  static const std::map<std::string, Strings> kUsual{
      {"LSTM", {"sigmoid", "tanh", "tanh"}}, {"GRU", {"sigmoid", "tanh"}}, {"RNN", {"tanh"}}};
  const Strings& usual = kUsual.at(call.node().type);
  Strings found = call.texts("activations", usual);
  for (std::string& name : found)
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  Strings twice = usual;
  twice.insert(twice.end(), usual.begin(), usual.end());
  return found ==
         (call.text("direction", "forward") == "bidirectional" && found.size() != usual.size() ? twice : usual);
}

/// TensorFlow's graphs have no names for these weights, and numbers for the nodes; the layer's name is that of the
/// transpose to time-major order, which each of them begins with.
std::string name_of(const NodeCall& call) {
  const std::string& name = call.node().name;
  if (name.empty()) return call.input_name(1);
  static constexpr std::string_view kTranspose = "/transpose:0";
  static constexpr std::string_view kCall = "/PartitionedCall";
  std::string_view input = call.input_name(0);
  if (!name.starts_with(call.node().type + "__") || !input.ends_with(kTranspose)) return name;
  input.remove_suffix(kTranspose.size());
  if (input.ends_with(kCall)) input.remove_suffix(kCall.size());
  return std::string(input);
}

void check(NodeCall& call) {
  if (!has_usual_activations(call)) call.bad("its activations are not those of PyTorch");
  for (const char* attribute : {"activation_alpha", "activation_beta", "clip", "input_forget"})
    if (call.has_attribute(attribute)) call.bad(fmt::format("attribute `{}` is not supported", attribute));
  if (call.has(4)) call.bad("sequence_lens are not supported");
  if (call.has(7)) call.bad("peepholes are not supported");
  if (call.integer("layout", 0) != 0) call.bad("layout 1 is not supported");
}

/// weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 and the same of the other direction.
std::vector<std::pair<std::string, at::Tensor>> weights_of(NodeCall& call, const Family& family,
                                                           std::int64_t directions, std::int64_t hidden) {
  const at::Tensor w = call.required_constant(1, "W");
  const at::Tensor r = call.required_constant(2, "R");
  const at::Tensor b = call.has(3) ? call.required_constant(3, "B") : at::Tensor();
  const std::int64_t rows = hidden * static_cast<std::int64_t>(family.gates.size());
  if (w.dim() != 3 || r.dim() != 3 || w.size(0) != directions || r.size(0) != directions || w.size(1) != rows ||
      r.size(1) != rows || r.size(2) != hidden ||
      (b.defined() && (b.dim() != 2 || b.size(1) != 2 * rows || b.size(0) != directions))) {
    call.bad("its weights do not fit hidden_size and direction");
  }
  std::vector<std::pair<std::string, at::Tensor>> weights;
  for (std::int64_t direction = 0; direction < directions; ++direction) {
    const std::string suffix = direction == 0 ? "_l0" : "_l0_reverse";
    weights.emplace_back("weight_ih" + suffix, reordered(w.select(0, direction), family.gates));
    weights.emplace_back("weight_hh" + suffix, reordered(r.select(0, direction), family.gates));
    if (!b.defined()) continue;
    const at::Tensor bias = b.select(0, direction);
    weights.emplace_back("bias_ih" + suffix, reordered(bias.slice(0, 0, rows), family.gates));
    weights.emplace_back("bias_hh" + suffix, reordered(bias.slice(0, rows), family.gates));
  }
  return weights;
}

/// The code of the module's forward: x is length x batch x input, states are directions x batch x hidden.
std::string forward_code(const Family& family, const std::vector<std::pair<std::string, at::Tensor>>& weights,
                         std::int64_t directions) {
  Strings names;
  for (const auto& [name, tensor] : weights) names.push_back("self." + name);
  const bool biases = weights.size() == static_cast<std::size_t>(4 * directions);
  const std::string settings =
      fmt::format("{}, 1, 0., False, {}, False", biases ? "True" : "False", directions == 2 ? "True" : "False");
  if (family.initial_cell != 0)
    return fmt::format("  return torch.lstm(x, [h, c], {}, {})\n", list_code(names), settings);
  return fmt::format("  return torch.{}(x, h, {}, {})\n", family.function, list_code(names), settings);
}

void recurrent(NodeCall& call) {
  check(call);
  const Family family = family_of(call);
  const std::string direction = call.text("direction", "forward");
  const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
  const bool reverse = direction == "reverse";
  if (!reverse && directions == 1 && direction != "forward") call.bad(fmt::format("its direction is `{}`", direction));
  const std::int64_t hidden = call.integer("hidden_size", 0);
  if (hidden < 1) call.bad("it has no hidden_size");
  const auto weights = weights_of(call, family, directions, hidden);
  const LeafModule leaf{std::string("torch.nn.modules.rnn.") + family.module,
                        weights,
                        {},
                        forward_code(family, weights, directions),
                        family.initial_cell != 0 ? "x, h, c" : "x, h"};
  const std::string x = call.variable(reverse ? fmt::format("torch.flip({}, [0])", call.in(0)) : call.in(0));
  const auto state = [&](std::size_t input) {
    if (call.has(input)) return call.in(input);
    return call.variable(
        fmt::format("torch.zeros_like({0}).sum([0, 2]).unsqueeze(0).unsqueeze(2).expand([{1}, -1, {2}]).contiguous()",
                    x, directions, hidden));
  };
  Strings arguments{x, state(5)};
  if (family.initial_cell != 0) arguments.push_back(state(family.initial_cell));
  const std::string y = call.builder().new_variable();
  const std::string h = call.builder().new_variable();
  const std::string c = call.builder().new_variable();
  const std::string module = call.module(name_of(call), leaf);
  call.line(fmt::format("{}, {}{} = {}({})", y, h, family.initial_cell != 0 ? ", " + c : "", module,
                        fmt::join(arguments, ", ")));
  // length x batch x (directions * hidden) to length x directions x batch x hidden
  const std::string ordered = reverse ? fmt::format("torch.flip({}, [0])", y) : y;
  call.out(fmt::format("{0}.reshape([{0}.size(0), {0}.size(1), {1}, {2}]).permute([0, 2, 1, 3])",
                       call.variable(ordered), directions, hidden));
  call.out(h, 1);
  if (family.initial_cell != 0) call.out(c, 2);
}

}  // namespace

const Rules& recurrent_rules() {
  static const Rules rules{{"LSTM", recurrent}, {"GRU", recurrent}, {"RNN", recurrent}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

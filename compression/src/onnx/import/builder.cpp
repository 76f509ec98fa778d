#include "onnx/import/builder.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/jit.h>

#include "onnx/import/node_call.hpp"
#include "onnx/import/ranks.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// Operators that are computed now when all their inputs are known. None makes more of its inputs than its type says.
bool is_foldable(const std::string& type) {
  static const std::set<std::string_view> types{"Add",
                                                "Cast",
                                                "Concat",
                                                "ConstantOfShape",
                                                "DequantizeLinear",
                                                "Div",
                                                "Equal",
                                                "Exp",
                                                "Expand",
                                                "Flatten",
                                                "Gather",
                                                "Identity",
                                                "Max",
                                                "Min",
                                                "Mul",
                                                "Neg",
                                                "Pow",
                                                "Reciprocal",
                                                "ReduceMax",
                                                "ReduceMin",
                                                "ReduceProd",
                                                "ReduceSum",
                                                "Reshape",
                                                "Slice",
                                                "Sqrt",
                                                "Squeeze",
                                                "Sub",
                                                "Transpose",
                                                "Unsqueeze",
                                                "Where"};
  return types.contains(type);
}

constexpr std::int64_t kMostFolded = std::int64_t{1} << 30;  ///< elements

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Builder::Builder(Graph graph) : graph_(std::move(graph)), tree_(graph_.name.empty() ? "Model" : graph_.name) {
  for (const auto& [name, tensor] : std::exchange(graph_.initializers, {})) {
    Value& one = values_[name];
    one.constant = tensor;
    one.trainable = c10::isFloatingType(tensor.scalar_type()) && tensor.numel() > 1;
  }
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) values_[graph_.inputs[i]].code = fmt::format("x{}", i);
  for (const Node& node : graph_.nodes)
    for (const std::string& input : node.inputs)
      if (!input.empty()) readers_[input].push_back(&node);
}

torch::jit::Module Builder::build() {
  for (const Node& node : graph_.nodes) {
    if (skipped_.contains(&node)) {
      note_ranks(node);
      let_go_of_inputs(node);
      continue;
    }
    const bool known = node.domain.empty() && (node.type == "Constant" || find_rule(node.type) != nullptr);
    if (!known) {
      const std::string domain = node.domain.empty() ? "" : node.domain + ".";
      problems_.insert(fmt::format("{}: operator {}{} is not supported", node.text(), domain, node.type));
    } else if (problems_.empty()) {
      add_node(node);
      let_go_of_inputs(node);
    }
  }
  if (!problems_.empty()) throw Malformed(fmt::format("it cannot be imported:\n  {}", fmt::join(problems_, "\n  ")));
  std::string source = "def forward(self";
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) source += fmt::format(", x{}", i);
  std::vector<std::string> outputs;
  for (const std::string& output : graph_.outputs) outputs.push_back(tensor(output));
  source += "):\n";
  for (const std::string& text : lines_) source += "  " + text + "\n";
  source += outputs.size() == 1 ? fmt::format("  return {}\n", outputs[0])
                                : fmt::format("  return ({})\n", fmt::join(outputs, ", "));
  return tree_.finish(source);
}

void Builder::add_node(const Node& node) {
  if (can_fold(node)) return fold(node);
  NodeCall call(node, *this);
  if (node.outputs.empty()) call.bad("it has no output");
  find_rule(node.type)(call);
  note_ranks(node);
}

/// Weights are large: one that a layer has made its own in another layout is not kept until the end. The grid of a
/// QuantizeLinear is looked at again where its values are dequantized.
void Builder::let_go_of_inputs(const Node& node) {
  const auto quantizes = [](const Node* reader) { return reader->type == "QuantizeLinear"; };
  for (const std::string& input : node.inputs) {
    const auto found = readers_.find(input);
    if (found == readers_.end() || found->second.back() != &node) continue;
    const bool is_output = std::find(graph_.outputs.begin(), graph_.outputs.end(), input) != graph_.outputs.end();
    if (!is_output && std::none_of(found->second.begin(), found->second.end(), quantizes))
      values_[input].constant.reset();
  }
}

void Builder::note_ranks(const Node& node) {
  const auto rank = rank_of_output(NodeCall(node, *this));
  if (!rank) return;
  for (const std::string& output : node.outputs) ranks_[output] = *rank;
}

std::optional<std::int64_t> Builder::own_rank(const std::string& name) const {
  const auto found = ranks_.find(name);
  return found == ranks_.end() ? std::nullopt : std::optional<std::int64_t>(found->second);
}

bool Builder::can_fold(const Node& node) const {
  if (!is_foldable(node.type) || node.outputs.size() != 1 || node.inputs.empty()) return false;
  const auto is_known = [&](const std::string& input) { return input.empty() || values_.at(input).constant.defined(); };
  if (!std::all_of(node.inputs.begin(), node.inputs.end(), is_known)) return false;
  const auto type = graph_.types.find(node.outputs[0]);
  if (type == graph_.types.end() || !type->second.dims) return is_small_work(node);
  std::int64_t elements = 1;
  for (const auto& size : *type->second.dims) {
    if (!size || __builtin_mul_overflow(elements, *size, &elements) || elements > kMostFolded) return false;
  }
  return true;
}

/// Arithmetic on shapes, whose results shape inference does not always have.
bool Builder::is_small_work(const Node& node) const {
  constexpr std::int64_t kMostElements = 64;
  if (node.type == "Expand" || node.type == "ConstantOfShape") return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
    return input.empty() || values_.at(input).constant.numel() <= kMostElements;
  });
}

/// Runs the node's own rule on its constants: what is computed now is what would be computed later.
void Builder::fold(const Node& node) {
  std::vector<std::string> kept;
  std::vector<at::Tensor> arguments;
  std::swap(kept, lines_);
  folded_arguments_ = &arguments;
  NodeCall call(node, *this);
  find_rule(node.type)(call);
  const std::string result = tensor(node.outputs[0]);
  folded_arguments_ = nullptr;
  std::swap(kept, lines_);
  std::string source = "def f(";
  for (std::size_t i = 0; i < arguments.size(); ++i) source += fmt::format("{}a{}", i == 0 ? "" : ", ", i);
  source += "):\n";
  for (const std::string& text : kept) source += "  " + text + "\n";
  source += "  return " + result + "\n";
  try {
    const auto unit = torch::jit::compile(source);
    torch::jit::Stack stack(arguments.begin(), arguments.end());
    Value& value = values_[node.outputs[0]];
    const bool trainable = std::any_of(node.inputs.begin(), node.inputs.end(),
                                       [&](const std::string& input) { return values_[input].trainable; });
    value = {};
    value.constant = unit->get_function("f")(std::move(stack)).toTensor().detach();
    value.trainable = trainable && c10::isFloatingType(value.constant.scalar_type()) && value.constant.numel() > 1;
  } catch (const std::exception& error) {
    call.bad(fmt::format("it cannot be computed: {}", first_line(error.what())));
  }
}

std::string Builder::constant_code(const std::string& name, Value& value) {
  if (folded_arguments_ != nullptr) {
    folded_arguments_->push_back(value.constant);
    return fmt::format("a{}", folded_arguments_->size() - 1);
  }
  value.code = value.trainable ? tree_.add_parameter(name, value.constant) : tree_.add_buffer(name, value.constant);
  return value.code;
}

std::string Builder::tensor(const std::string& name) {
  Value& value = values_[name];
  if (!value.code.empty() && (folded_arguments_ == nullptr || !value.constant.defined())) return value.code;
  if (value.constant.defined()) return constant_code(name, value);
  if (value.integers) {
    const std::string list = fmt::format("torch.tensor([{}])", fmt::join(*value.integers, ", "));
    return value.is_scalar ? list + ".squeeze(0)" : list;
  }
  throw Malformed(fmt::format("value `{}` is an output that is not supported", name));
}

const Node* Builder::only_reader(const std::string& name) const {
  const auto found = readers_.find(name);
  if (found == readers_.end() || found->second.size() != 1) return nullptr;
  const bool is_output = std::find(graph_.outputs.begin(), graph_.outputs.end(), name) != graph_.outputs.end();
  return is_output ? nullptr : found->second.front();
}

}  // namespace lathe::compression::onnx_in

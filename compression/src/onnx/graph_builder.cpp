#include "onnx/graph_builder.hpp"

#include <algorithm>

#include <ATen/Functions.h>
#include <fmt/format.h>

namespace lathe::compression::onnx_out {

std::string GraphBuilder::unique(const std::string& wanted) {
  std::string name = wanted;
  while (used_.contains(name)) name = fmt::format("{}_{}", wanted, used_[wanted]++);
  used_[name] = 1;
  return name;
}

std::string GraphBuilder::add(const std::string& type, Names inputs, Attributes attributes) {
  return add_many(type, std::move(inputs), 1, std::move(attributes)).front();
}

Names GraphBuilder::add_many(const std::string& type, Names inputs, std::size_t outputs, Attributes attributes) {
  GraphNode node{type, unique(scoped(type)), std::move(inputs), {}, std::move(attributes), {}};
  for (std::size_t i = 0; i < outputs; ++i) {
    const std::string suffix = outputs == 1 ? ":0" : fmt::format(":{}", i);
    node.outputs.push_back(unique(node.name + suffix));
    producers_[node.outputs.back()] = graph_.nodes.size();
  }
  graph_.nodes.push_back(node);
  return node.outputs;
}

std::string GraphBuilder::add_problem(const std::string& problem) {
  const std::string name = add("Problem", {});
  graph_.nodes.back().problem = problem;
  return name;
}

std::string GraphBuilder::constant(const at::Tensor& tensor, const std::string& hint) {
  const std::string name = unique(hint);
  graph_.initializers.push_back({name, tensor.detach().cpu().contiguous()});
  return name;
}

std::string GraphBuilder::integers(const std::vector<std::int64_t>& values) {
  std::string& name = integers_[{false, values}];
  if (name.empty()) name = constant(at::tensor(values, at::kLong), "integers");
  return name;
}

std::string GraphBuilder::integer(std::int64_t value) {
  std::string& name = integers_[{true, {value}}];
  if (name.empty()) name = constant(at::scalar_tensor(value, at::kLong), "integer");
  return name;
}

std::string GraphBuilder::scalar(double value, at::ScalarType type) {
  std::string& name = scalars_[{value, static_cast<int>(type)}];
  if (name.empty()) name = constant(at::scalar_tensor(value, at::kDouble).to(type), "scalar");
  return name;
}

void GraphBuilder::add_input(GraphValue value) {
  used_[value.name] = 1;
  graph_.inputs.push_back(std::move(value));
}

void GraphBuilder::add_output(const std::string& inner, GraphValue value) {
  value.name = unique(value.name);
  graph_.nodes.push_back({"Identity", unique(value.name + "/Identity"), {inner}, {value.name}, {}, {}});
  graph_.outputs.push_back(std::move(value));
}

GraphNode* GraphBuilder::producer(const std::string& name) {
  const auto found = producers_.find(name);
  return found == producers_.end() ? nullptr : &graph_.nodes[found->second];
}

Graph GraphBuilder::take(const std::string& graph_name) {
  graph_.name = graph_name;
  std::unordered_set<std::string> needed;
  for (const GraphValue& output : graph_.outputs) needed.insert(output.name);
  std::vector<GraphNode> live;
  for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
    const auto is_needed = [&](const std::string& output) { return needed.contains(output); };
    if (std::none_of(node->outputs.begin(), node->outputs.end(), is_needed)) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    live.push_back(std::move(*node));
  }
  graph_.nodes.assign(std::make_move_iterator(live.rbegin()), std::make_move_iterator(live.rend()));
  std::erase_if(graph_.initializers, [&](const Initializer& one) { return !needed.contains(one.name); });
  return std::move(graph_);
}

}  // namespace lathe::compression::onnx_out

// Collects nodes and initializers under names that are unique and tell where they come from.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "onnx/graph.hpp"

namespace lathe::compression::onnx_out {

class GraphBuilder {
 public:
  /// Path of the module that the next nodes belong to; part of their names.
  void set_scope(const std::string& module) { scope_ = module; }

  /// Adds a node with one output and returns that output's name.
  std::string add(const std::string& type, Names inputs, Attributes attributes = {});
  /// Adds a node with several.
  Names add_many(const std::string& type, Names inputs, std::size_t outputs, Attributes attributes = {});
  /// A node that stands for something without counterpart; an error when it is needed.
  std::string add_problem(const std::string& problem);

  /// An initializer. `hint` becomes its name when that is free.
  std::string constant(const at::Tensor& tensor, const std::string& hint = "constant");
  /// Initializers of these values, shared between those who ask for the same.
  std::string integers(const std::vector<std::int64_t>& values);
  std::string integer(std::int64_t value);  ///< of rank 0
  std::string scalar(double value, at::ScalarType type);

  void add_input(GraphValue value);
  /// `name` becomes the output's name, whatever it was called inside.
  void add_output(const std::string& inner, GraphValue value);

  /// The node whose output this is; nullptr for inputs and initializers. Valid until the next node is added.
  [[nodiscard]] GraphNode* producer(const std::string& name);

  /// What the outputs need, and nothing else.
  [[nodiscard]] Graph take(const std::string& graph_name);

 private:
  std::string unique(const std::string& wanted);
  std::string scoped(const std::string& name) const { return scope_.empty() ? name : scope_ + "/" + name; }

  std::string scope_;
  Graph graph_;
  std::unordered_map<std::string, int> used_;
  std::unordered_map<std::string, std::size_t> producers_;
  std::map<std::pair<bool, std::vector<std::int64_t>>, std::string> integers_;
  std::map<std::pair<double, int>, std::string> scalars_;
};

}  // namespace lathe::compression::onnx_out

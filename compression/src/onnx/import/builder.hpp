// Writes an ONNX graph as TorchScript, node by node.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "onnx/import/graph.hpp"
#include "onnx/import/module_tree.hpp"

namespace lathe::compression::onnx_in {

/// What stands for a value of the ONNX graph.
struct Value {
  std::string code;        ///< a TorchScript expression; empty until a constant is read
  at::Tensor constant;     ///< defined: known now
  bool trainable = false;  ///< a constant that the file gives as an initializer
  /// Integers of a shape as expressions, one each: what makes sizes dynamic without tensors of sizes.
  std::optional<std::vector<std::string>> integers;
  bool is_scalar = false;  ///< integers: of rank 0
  /// A QuantizeLinear of a value that is no constant, on its way to be dequantized.
  const Node* quantized_by = nullptr;
};

class Builder {
 public:
  /// Takes the graph's initializers over.
  explicit Builder(Graph graph);
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  /// Throws Malformed; unknown operators are told all at once.
  [[nodiscard]] torch::jit::Module build();

  // ---- for the rules ----

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] Value& value(const std::string& name) { return values_[name]; }
  /// Where shape inference has none.
  [[nodiscard]] std::optional<std::int64_t> own_rank(const std::string& name) const;
  [[nodiscard]] ModuleTree& tree() { return tree_; }
  /// The expression of a value as a tensor.
  std::string tensor(const std::string& name);
  /// A line of the root's forward.
  void line(const std::string& text) { lines_.push_back(text); }
  std::string new_variable() { return "v" + std::to_string(variables_++); }
  /// The only node that reads this value, which is no output of the graph; nullptr: none or several do.
  [[nodiscard]] const Node* only_reader(const std::string& name) const;
  /// That node's work is done by another one.
  void skip(const Node* node) { skipped_.insert(node); }
  /// The submodule of a layer that was added before under this key; empty: none.
  [[nodiscard]] std::string& shared_module(const std::string& key) { return shared_[key]; }

 private:
  void add_node(const Node& node);
  void let_go_of_inputs(const Node& node);
  void note_ranks(const Node& node);
  [[nodiscard]] bool can_fold(const Node& node) const;
  [[nodiscard]] bool is_small_work(const Node& node) const;
  void fold(const Node& node);
  std::string constant_code(const std::string& name, Value& value);

  Graph graph_;
  ModuleTree tree_;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, std::vector<const Node*>> readers_;
  std::unordered_map<std::string, std::int64_t> ranks_;
  std::vector<std::string> lines_;
  std::set<const Node*> skipped_;
  std::map<std::string, std::string> shared_;
  std::set<std::string> problems_;
  int variables_ = 0;
  std::vector<at::Tensor>* folded_arguments_ = nullptr;  ///< not nullptr: a node is being computed now
};

}  // namespace lathe::compression::onnx_in

// Copies `forward` and all that it calls into one graph, remembering where every node came from.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <lathe/compression/flat_graph.hpp>

namespace lathe::compression {

/// Of nodes that stand where a layer can be tapped.
[[nodiscard]] c10::Symbol tap_kind();

/// One use: construct, then run(). Throws std::runtime_error with a sentence for the user when a call cannot be
/// resolved.
class Inliner {
 public:
  enum class Taps { None, Everywhere };

  Inliner(const torch::jit::Module& model, Taps taps);

  [[nodiscard]] FlatGraph run();

 private:
  using Value = torch::jit::Value;
  using Node = torch::jit::Node;
  using Block = torch::jit::Block;
  using ValueMap = std::unordered_map<Value*, Value*>;

  /// Copies the nodes of `source` to the end of `target`; returns the copies of the values that `source` returns.
  std::vector<Value*> copy_block(Block* source, Block* target, ValueMap& values, const std::string& module);
  void copy_node(Node* node, Block* target, ValueMap& values, const std::string& module);
  void copy_plain(Node* node, Block* target, ValueMap& values, const std::string& module);
  void inline_method(Node* node, Block* target, ValueMap& values, const std::string& module);
  void inline_function(Node* node, Block* target, ValueMap& values, const std::string& module);
  void inline_call(torch::jit::Function& callee, const std::vector<Value*>& arguments, Node* node, Block* target,
                   ValueMap& values, const std::string& module);
  void note_path(Node* node, Value* copy, const Value* object);

  /// Puts a tap behind `value` and returns what it gives, or `value` itself where taps are not wanted or possible.
  Value* tap(Value* value, Block* target, const std::string& layer, TapPlace place);
  /// A parameter called `weight` or `bias` was read.
  Value* tap_parameter(Node* node, Value* copy, Block* target);

  FlatGraph flat_;
  Taps taps_;
  int depth_ = 0;
};

}  // namespace lathe::compression

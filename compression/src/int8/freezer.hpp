// Makes the first draft of a frozen graph: a copy of a tapped one, attributes and taps replaced.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

/// One use: construct, then run(). Throws std::runtime_error with a sentence for the user. The draft's first input is
/// still the module, and its calls that read submodules are still there.
class Freezer {
 public:
  Freezer(const FlatGraph& tapped, const std::vector<TensorGrid>& grids);

  [[nodiscard]] FrozenGraph run();

 private:
  using Value = torch::jit::Value;
  using Node = torch::jit::Node;
  using Block = torch::jit::Block;

  void copy_inputs();
  void copy_block(Block* source, Block* target);
  void copy_node(Node* node, Block* target);
  void copy_plain(Node* node, Block* target);
  void copy_attribute(Node* node, Block* target);
  void copy_tap(Node* node, Block* target);
  /// The value put on this grid.
  Value* simulate(Value* value, std::size_t grid, Node* tap, Block* target);
  Value* simulate_sign(Value* value, std::size_t grid, Node* tap, Block* target);
  Value* constant(const c10::IValue& value, Block* target);
  void note_weight(const std::string& path, const at::Tensor& values, const at::Tensor& constant,
                   const TensorGrid* grid);

  const FlatGraph& tapped_;
  const std::vector<TensorGrid>& grids_;
  std::map<std::pair<std::string, TapPlace>, std::vector<std::size_t>> grids_by_tap_;
  std::map<std::string, std::string> types_;  ///< class names by path
  std::unordered_map<Value*, Value*> values_;
  FrozenGraph frozen_;
};

}  // namespace lathe::compression

// Writes the int8 graph: walks the frozen one and gives each value the form in which the next kernel wants it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include <lathe/compression/int8.hpp>

#include "int8/byte_grid.hpp"
#include "int8/cost.hpp"
#include "int8/frozen_graph.hpp"
#include "int8/patterns.hpp"
#include "int8/ranges.hpp"

namespace lathe::compression {

/// A packed weight that the graph reads from its module.
struct PackedWeight {
  std::string attribute;
  c10::IValue value;
};

struct EmittedGraph {
  std::shared_ptr<torch::jit::Graph> graph;  ///< inputs: the module (of no type yet), then that of the frozen graph
  std::vector<PackedWeight> packed;
  std::vector<Int8Step> layers;
  std::vector<Int8Step> operators;
  std::int64_t observed_ranges = 0;
};

/// One use: construct, then run(). Throws what packing throws.
class Emitter {
 public:
  /// `left_float`: layers that could run in int8 and are not to.
  Emitter(const FrozenGraph& frozen, const Ranges& ranges, const Sizes& sizes,
          std::set<const torch::jit::Node*> left_float, bool reduced);

  [[nodiscard]] Result<EmittedGraph> run();

 private:
  using Node = torch::jit::Node;
  using Value = torch::jit::Value;

  /// The forms of a value of the frozen graph in the int8 graph.
  struct Forms {
    Value* plain = nullptr;           ///< as it was: a float tensor, a number, a list
    Value* bytes = nullptr;           ///< quantized
    std::optional<ByteGrid> grid;     ///< of `bytes`, or that it is to get
    const Node* simulated = nullptr;  ///< a fake quantization that gives `plain` and is not written yet
  };

  Result<void> emit(Node* node);
  Result<void> emit_layer(Node* node);
  [[nodiscard]] std::optional<std::string> why_layer_is_float(const Node* node) const;
  bool emit_addition(Node* node);
  bool emit_concatenation(Node* node);
  bool emit_average(Node* node);
  bool emit_grid_keeping(Node* node);
  void emit_grid(Node* node);
  [[nodiscard]] std::string why_float(const Node* node) const;
  void emit_float(Node* node, const std::string& reason);

  Result<void> emit_kernel(Node* node, const FrozenWeight& weight, const Fusion& fusion);
  /// LibTorch 1.13 takes a convolution for another of the process that has the same shape and scales, whatever the zero
  /// points of their outputs are: the second then gets the first one's. A scale that is a millionth larger keeps them
  /// apart.
  ByteGrid told_apart(ByteGrid grid, const FrozenWeight& weight, double input_scale);
  /// Packs the weight and gives the value that reads it.
  Result<Value*> pack(const Node* node, const FrozenWeight& weight, const Fusion& fusion);

  /// The forms are made where they are first asked for.
  Value* plain(Value* value);
  Value* bytes(Value* value);
  /// Whichever is there, for operators that look at shapes only.
  Value* any(Value* value);
  static Value* simulated_input(const Forms& forms);
  [[nodiscard]] bool has_bytes(const Value* value) const;
  [[nodiscard]] ByteGrid grid_of(const Value* value) const { return *forms_.at(value).grid; }
  /// Of a fused node's result: from a quantizer, else from data.
  [[nodiscard]] std::optional<ByteGrid> grid_for(const Fusion& fusion);
  [[nodiscard]] std::optional<ByteGrid> observed(const Value* value);

  void give_bytes(const Value* value, Value* bytes, const ByteGrid& grid);
  Node* clone(Node* node);
  Value* create(const std::string& kind, const std::vector<Value*>& inputs);
  Value* constant(const c10::IValue& value);
  void note_float(const Node* node, const std::string& reason);

  const FrozenGraph& frozen_;
  const Ranges& ranges_;
  const Sizes& sizes_;
  std::set<const Node*> left_float_;
  bool reduced_;
  EmittedGraph result_;
  Value* self_ = nullptr;
  std::unordered_map<const Value*, Forms> forms_;
  std::set<const Node*> covered_;  ///< computed by a kernel before
  std::set<const Value*> observed_;
  /// Zero points of outputs, by the weight's shape and the scales of input and output.
  std::map<std::tuple<std::vector<std::int64_t>, double, double>, std::int64_t> convolutions_;
};

}  // namespace lathe::compression

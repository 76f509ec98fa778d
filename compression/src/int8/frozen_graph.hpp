// The simulated model in eval mode as one plain graph: parameters are constants, the taps of quantized activations are
// fake-quantization operators, and branches that eval mode does not take are gone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/quantization.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// A weight that is a constant of the graph.
struct FrozenWeight {
  std::string layer;
  std::string type;                  ///< class name of the layer
  at::Tensor values;                 ///< the float weight
  const TensorGrid* grid = nullptr;  ///< nullptr: not quantized; then the constant is the float weight
};

class FrozenGraph {
 public:
  /// `grids` outlives it. `example` is one batch that shows which branches on ranks and sizes are taken. Errors: an
  /// attribute that cannot be a constant, a forward that changes attributes or its tensors in place, a model that fails
  /// on the example.
  [[nodiscard]] static Result<FrozenGraph> of(const FlatGraph& tapped, const std::vector<TensorGrid>& grids,
                                              const at::Tensor& example);

  /// Inputs: those of forward without the module, of which only the first is used.
  [[nodiscard]] const std::shared_ptr<torch::jit::Graph>& graph() const { return graph_; }

  /// Nullptr for a value that is no constant weight of a layer.
  [[nodiscard]] const FrozenWeight* weight(const torch::jit::Value* value) const;

  /// The grid that a node simulates; nullptr for any other node.
  [[nodiscard]] const TensorGrid* grid(const torch::jit::Node* node) const;

  /// For messages, as FlatGraph::describe.
  [[nodiscard]] std::string describe(const torch::jit::Node* node) const;

  /// What the values are when the model runs on `input`. They belong to the graph's outermost block.
  [[nodiscard]] std::vector<c10::IValue> run(const at::Tensor& input,
                                             const std::vector<torch::jit::Value*>& values) const;

 private:
  friend class Freezer;
  FrozenGraph() = default;

  std::shared_ptr<torch::jit::Graph> graph_;
  std::unordered_map<const c10::TensorImpl*, FrozenWeight> weights_;
  std::vector<at::Tensor> alive_;  ///< the keys of weights_
  const std::vector<TensorGrid>* grids_ = nullptr;
};

/// Every node carries this attribute while it is in a frozen graph; whoever copies one takes it away.
[[nodiscard]] c10::Symbol place_attribute();

/// Likewise of fake-quantization nodes.
[[nodiscard]] c10::Symbol grid_attribute();

}  // namespace lathe::compression

// A model's `forward` as one graph: every call of a submodule's method and of a function is inlined, and every node
// still knows where it was written. The one source for discovery, counting and speed-up.
//
// The graph is a copy: it may be run and edited without touching the model. Parameters are not in it; it reads them
// with prim::GetAttr chains from its first input, the root module.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Where a node of the flat graph was written.
struct Origin {
  torch::jit::Node* node = nullptr;  ///< in the graph of a method or function; lives as long as that function
  std::string module;                ///< path of the module instance it runs in, `` for the root
};

/// One call of a convolution, transposed convolution or linear operator whose weight is a parameter of the model.
struct LayerOp {
  const torch::jit::Node* node = nullptr;  ///< in the flat graph
  std::string layer;                       ///< path of the module that owns the weight, `` for the root
  std::string weight;                      ///< path of the weight, e.g. `conv1.weight`
  std::string type;                        ///< that module's class name without mangling
  std::vector<std::int64_t> stride;        ///< one entry an axis; empty for linear
  std::vector<std::int64_t> padding;       ///< likewise; empty when given by name ("same")
  std::vector<std::int64_t> dilation;      ///< likewise
  std::int64_t groups = 1;
  bool transposed = false;
};

/// One call of a submodule's forward.
struct LayerCall {
  std::string layer;                    ///< path of the module
  std::string type;                     ///< its class name without mangling
  torch::jit::Value* input = nullptr;   ///< its first tensor argument; nullptr: none
  torch::jit::Value* output = nullptr;  ///< nullptr unless it returns one tensor
};

/// Where in a layer a tensor can be tapped.
enum class TapPlace {
  Input,   ///< each tensor argument of its forward
  Weight,  ///< each reading of its `weight`
  Bias,    ///< each reading of its `bias`
  Output,  ///< what its forward returns, if that is a tensor
};

/// Of a node of kind lathe::tap, which has one input, and one output in its place.
struct TapSite {
  std::string layer;
  TapPlace place;
};

class FlatGraph {
 public:
  /// Errors: no `forward`, forward hooks, a call that cannot be resolved before running (a module interface).
  [[nodiscard]] static Result<FlatGraph> of(const torch::jit::Module& model);

  /// The same with a lathe::tap node wherever a layer can be tapped; such a graph runs in a TappedModel only.
  [[nodiscard]] static Result<FlatGraph> with_taps(const torch::jit::Module& model);

  /// Calls of submodules' forward in order of the graph. In a graph with taps, `input` is what the tap gets and
  /// `output` what it gives.
  [[nodiscard]] const std::vector<LayerCall>& calls() const { return calls_; }

  /// Nothing for a node that is not a tap.
  [[nodiscard]] const TapSite* tap_site(const torch::jit::Node* node) const;

  /// Inputs: the root module, then those of `forward`.
  [[nodiscard]] const std::shared_ptr<torch::jit::Graph>& graph() const { return graph_; }

  /// The model that was flattened; shares its parameters with the caller's.
  [[nodiscard]] const torch::jit::Module& model() const { return model_; }

  /// Nullptr for nodes that the caller added.
  [[nodiscard]] const Origin* origin(const torch::jit::Node* node) const;

  /// Path of the attribute that the value reads, e.g. `conv1.weight`; nothing for any other value.
  [[nodiscard]] std::optional<std::string> attribute_path(const torch::jit::Value* value) const;

  /// Every layer call in order of the graph, branches that eval mode does not take included.
  [[nodiscard]] std::vector<LayerOp> layer_ops() const;

  /// For messages: operator, module and source line, e.g. "aten::view in `features` (model.py:28)".
  [[nodiscard]] std::string describe(const torch::jit::Node* node) const;

 private:
  friend class Inliner;

  torch::jit::Module model_;
  std::shared_ptr<torch::jit::Graph> graph_;
  std::unordered_map<const torch::jit::Node*, Origin> origins_;
  std::unordered_map<const torch::jit::Value*, std::string> paths_;
  std::unordered_map<const torch::jit::Node*, TapSite> taps_;
  std::vector<LayerCall> calls_;
};

}  // namespace lathe::compression

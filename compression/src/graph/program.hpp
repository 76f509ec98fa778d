// A flat graph made ready to run many times: values are registers, operators are looked up once, and what is not
// needed any more is let go at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

using Values = std::vector<c10::IValue>;

/// Called after each node; tensors keep their identity (TensorImpl) from node to node.
using Observer = std::function<void(const torch::jit::Node* node, const Values& inputs, const Values& outputs)>;

/// Called before each operator, prim::If and prim::Loop; what it gives is used in place of the inputs, nullptr changes
/// nothing.
using Substitute = std::function<const Values*(const torch::jit::Node* node, const Values& inputs)>;

/// Called before each operator, after the substitute; what it gives are the outputs, and the operator is not run.
using StandIn = std::function<std::optional<Values>(const torch::jit::Node* node, const Values& inputs)>;

class Program {
 public:
  /// `flat` outlives the program. Throws std::runtime_error for a node that only TorchScript's own interpreter can
  /// run.
  explicit Program(const FlatGraph& flat);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// The sites of the graph's taps, in order of the graph; their indices are those of `taps` in run().
  [[nodiscard]] const std::vector<TapSite>& tap_sites() const { return tap_sites_; }

  /// Runs `forward` on one input; its other arguments take their defaults. Throws what operators, taps, the observer
  /// and the others throw.
  [[nodiscard]] c10::IValue run(const at::Tensor& input, const std::vector<std::vector<Tap>>& taps,
                                const Observer& observer, const Substitute& substitute = {},
                                const StandIn& stand_in = {}) const;

 private:
  class Run;
  struct Instruction;
  struct Code;
  class Compiler;

  const FlatGraph& flat_;
  std::unique_ptr<Code> code_;
  std::vector<TapSite> tap_sites_;
  std::size_t registers_ = 0;
};

}  // namespace lathe::compression

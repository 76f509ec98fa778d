// Runs of the model that only look at sizes. What differs between batch sizes follows the batch.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/program.hpp"
#include "onnx/data_flow.hpp"
#include "onnx/graph.hpp"

namespace lathe::compression::onnx_out {

/// What a probe keeps of an argument or a result, lists and tuples flattened.
struct Seen {
  std::vector<double> numbers;                    ///< integers, floats, and tensors of one element that are no data
  std::vector<std::vector<std::int64_t>> shapes;  ///< of the tensors in it
  std::uint64_t hash = 0;                         ///< of the values of tensors that are no data
};

struct SeenStep {
  const torch::jit::Node* node = nullptr;
  std::vector<Seen> inputs;
  std::vector<Seen> outputs;
};

/// Nodes whose outputs count as data, and the taps that the run passes.
struct TapPlan {
  std::vector<std::vector<Tap>> taps;
  std::unordered_set<const torch::jit::Node*> quantized;
};

/// What steps of this node showed of their results; `flow` has taken the step already.
[[nodiscard]] std::vector<Seen> look_at_outputs(const torch::jit::Node* node, const Values& outputs,
                                                const DataFlow& flow);
[[nodiscard]] std::vector<Seen> look_at_inputs(const Values& inputs, const DataFlow& flow);

class Probe {
 public:
  /// Runs the program on `batch` samples taken from `example` in turn. Throws what the model throws.
  Probe(const Program& program, const TapPlan& taps, const at::Tensor& example, std::int64_t batch);

  [[nodiscard]] const std::vector<SeenStep>& steps() const { return steps_; }
  [[nodiscard]] std::int64_t batch() const { return batch_; }

 private:
  std::int64_t batch_;
  std::vector<SeenStep> steps_;
};

/// `batch` samples, those of `example` again and again.
[[nodiscard]] at::Tensor batch_of(const at::Tensor& example, std::int64_t batch);

/// Finds sizes as functions of the batch from what one step showed at several batch sizes.
class SizeFit {
 public:
  /// Batch sizes of the run that is written down and of the two probes.
  static constexpr std::int64_t kBatch = 2;
  static constexpr std::int64_t kProbes[] = {3, 5};

  /// The size that is `at_batch` with kBatch and those with kProbes; nothing when it does not grow linearly.
  [[nodiscard]] static std::optional<Size> fit(double at_batch, double first, double second);
};

}  // namespace lathe::compression::onnx_out

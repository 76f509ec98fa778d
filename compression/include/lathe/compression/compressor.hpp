// What takes part in training beside the optimizer: masks that stay in force, fake quantization, regularisers.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// The trainer calls these in the order of declaration; each does nothing unless overridden. update_epoch and step are
/// those of NNI's compressors.
class Compressor {
 public:
  Compressor() = default;
  virtual ~Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// Tensors to be trained with the model's parameters, such as learnt scales.
  [[nodiscard]] virtual std::vector<at::Tensor> extra_parameters() { return {}; }
  /// Whether a new optimizer and learning-rate schedule begin with this epoch (0-based), as where weights are rewound.
  [[nodiscard]] virtual bool restarts_optimizer([[maybe_unused]] std::int64_t epoch) const { return false; }
  /// Before each epoch, 0-based. An error ends the training.
  [[nodiscard]] virtual Result<void> update_epoch([[maybe_unused]] std::int64_t epoch) { return {}; }
  /// The gradients of a batch are there, the optimizer's step is to come.
  virtual void after_backward() {}
  /// After each step of the optimizer.
  virtual void step() {}
  /// Whether the compression of this epoch (0-based) is the final one, so that later epochs and finish change nothing
  /// but by training. Only such epochs are candidates for the best one.
  [[nodiscard]] virtual bool is_settled([[maybe_unused]] std::int64_t epoch) const { return true; }
  /// What takes its own state back to where it is now, beside extra_parameters: called when this epoch's weights are
  /// put back, before finish. Empty: settled epochs change nothing of it.
  [[nodiscard]] virtual std::function<void()> remember() { return {}; }
  /// After the last epoch (and when there is none): everything is brought to its final state. Once more when the
  /// weights of an earlier, settled epoch were put back.
  [[nodiscard]] virtual Result<void> finish() { return {}; }
};

}  // namespace lathe::compression

// Which epoch was the best so far, its weights, and whether it is worth going on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/trainer.hpp>

namespace lathe::compression {

class BestEpoch {
 public:
  /// `keeps_weights`: restore() will be asked for.
  BestEpoch(const std::optional<EarlyStop>& early_stop, bool keeps_weights)
      : early_stop_(early_stop), keeps_weights_(keeps_weights) {}

  /// Forgets everything: the epochs before are no candidates.
  void reset();

  /// What an epoch's model is made of.
  struct State {
    std::vector<at::Tensor> tensors;  ///< all of the model's
    Compressor* compressor = nullptr;
  };

  /// Takes note of an epoch that is a candidate; larger values are better, the first of equals is the best.
  void consider(std::int64_t epoch, double value, const State& state);

  /// Whether the last `patience` candidates have not been better by more than min_delta than one before them.
  [[nodiscard]] bool is_worn_out() const;
  /// Nullopt: no candidate so far.
  [[nodiscard]] std::optional<std::int64_t> epoch() const { return epoch_; }
  [[nodiscard]] double value() const { return value_; }

  /// Puts the weights of the best epoch back, into the same tensors, and the compressor's state.
  void restore() const;

 private:
  std::optional<EarlyStop> early_stop_;
  bool keeps_weights_;
  std::optional<std::int64_t> epoch_;
  double value_ = 0;
  double reference_ = 0;  ///< to be exceeded by min_delta
  std::int64_t idle_ = 0;
  std::vector<std::pair<at::Tensor, at::Tensor>> kept_;  ///< tensor and copy
  std::function<void()> restore_compressor_;
};

}  // namespace lathe::compression

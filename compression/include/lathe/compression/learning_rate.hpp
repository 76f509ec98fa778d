// Learning-rate schedules: pure functions of the place in the training.
#pragma once

#include <cstdint>
#include <vector>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

enum class LearningRateKind {
  Constant,
  Step,       ///< multiplied by gamma after every step_size epochs (PyTorch's StepLR)
  MultiStep,  ///< multiplied by gamma with each epoch in `milestones` (MultiStepLR)
  Cosine,     ///< half a cosine from the first batch behind the warm-up to the end: Loshchilov and Hutter, "SGDR", 2017
};

/// Every kind may begin with a warm-up, in which the rate that the kind gives (Cosine: its first) is scaled by
/// (batch + 1) / batches of the warm-up: Goyal et al., "Accurate, Large Minibatch SGD", 2017. Epochs count from 0 and
/// include the warm-up's.
struct LearningRateSchedule {
  LearningRateKind kind = LearningRateKind::Constant;
  std::int64_t step_size = 1;            ///< > 0
  double gamma = 0.1;                    ///< > 0
  std::vector<std::int64_t> milestones;  ///< > 0, ascending
  double min_learning_rate = 0;          ///< Cosine approaches it in the last batch
  std::int64_t warmup_epochs = 0;
  std::int64_t warmup_steps = 0;  ///< in batches; added to the epochs
};

/// A batch of a training, all counts from 0.
struct TrainingPosition {
  std::int64_t epoch = 0;
  std::int64_t epochs = 1;
  std::int64_t step = 0;  ///< batches done since epoch 0
  std::int64_t steps_per_epoch = 1;
};

/// Errors name the member that is out of range.
[[nodiscard]] Result<void> check_schedule(const LearningRateSchedule& schedule);

/// The learning rate of the batch at `position`, where `base` is the rate of a constant schedule.
[[nodiscard]] double learning_rate_at(const LearningRateSchedule& schedule, double base,
                                      const TrainingPosition& position);

}  // namespace lathe::compression

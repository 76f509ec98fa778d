// Lines on stdout that tell how far a long step is, how fast it goes and how long it will take.
#pragma once

#include <chrono>
#include <string>

#include <lathe/compression/trainer.hpp>

namespace lathe::trial {

/// Prints at most one line a second. Not thread-safe.
class TrainingLog {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TrainingLog(Clock::time_point start) : start_(start), last_line_(start) {}

  /// Prints when the last line is old enough.
  void after_batch(const compression::TrainingProgress& progress, Clock::time_point now);

 private:
  Clock::time_point start_;
  Clock::time_point last_line_;
};

/// `epoch 2/3: 1280/6000 records, loss 0.1234, 8500 records/s, 2 s left`. `elapsed` is in seconds since the training
/// began.
[[nodiscard]] std::string progress_line(const compression::TrainingProgress& progress, double elapsed);

}  // namespace lathe::trial

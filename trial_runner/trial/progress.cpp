#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>

#include <fmt/format.h>

namespace lathe::trial {

void TrainingLog::after_batch(const compression::TrainingProgress& progress, Clock::time_point now) {
  if (now - last_line_ < std::chrono::seconds(1)) return;
  last_line_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  std::cout << progress_line(progress, elapsed) << std::endl;
}

std::string progress_line(const compression::TrainingProgress& progress, double elapsed) {
  const auto done = static_cast<double>(progress.epoch * progress.records + progress.records_done);
  const auto all = static_cast<double>(progress.epochs * progress.records);
  const double rate = done / std::max(elapsed, 1e-9);
  return fmt::format("epoch {}/{}: {}/{} records, loss {:.4f}, {:.0f} records/s, {:.0f} s left", progress.epoch + 1,
                     progress.epochs, progress.records_done, progress.records, progress.loss, rate,
                     std::ceil((all - done) / rate));
}

}  // namespace lathe::trial

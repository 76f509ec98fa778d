#include <lathe/compression/learning_rate.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

std::int64_t warmup_of(const LearningRateSchedule& schedule, const TrainingPosition& position) {
  return schedule.warmup_epochs * position.steps_per_epoch + schedule.warmup_steps;
}

double cosine(const LearningRateSchedule& schedule, double base, const TrainingPosition& position) {
  const std::int64_t warmup = warmup_of(schedule, position);
  const std::int64_t span = position.epochs * position.steps_per_epoch - warmup;
  const std::int64_t done = std::max<std::int64_t>(position.step - warmup, 0);
  const double share = span > 0 ? std::min(static_cast<double>(done) / static_cast<double>(span), 1.0) : 0.0;
  const double lowest = schedule.min_learning_rate;
  return lowest + (base - lowest) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

double unwarmed(const LearningRateSchedule& schedule, double base, const TrainingPosition& position) {
  switch (schedule.kind) {
    case LearningRateKind::Constant:
      return base;
    case LearningRateKind::Step:
      return base * std::pow(schedule.gamma, static_cast<double>(position.epoch / schedule.step_size));
    case LearningRateKind::MultiStep: {
      const auto& milestones = schedule.milestones;
      const auto passed = std::upper_bound(milestones.begin(), milestones.end(), position.epoch) - milestones.begin();
      return base * std::pow(schedule.gamma, static_cast<double>(passed));
    }
    case LearningRateKind::Cosine:
      return cosine(schedule, base, position);
  }
  return base;
}

}  // namespace

Result<void> check_schedule(const LearningRateSchedule& schedule) {
  if (schedule.step_size < 1) return fail(fmt::format("step_size is {}; expected at least 1", schedule.step_size));
  if (!(schedule.gamma > 0)) return fail(fmt::format("gamma is {}; expected more than 0", schedule.gamma));
  if (!std::is_sorted(schedule.milestones.begin(), schedule.milestones.end())) {
    return fail("the milestones of the learning rate are not in ascending order");
  }
  if (!(schedule.min_learning_rate >= 0)) {
    return fail(fmt::format("min_learning_rate is {}; expected 0 or more", schedule.min_learning_rate));
  }
  if (schedule.warmup_epochs < 0 || schedule.warmup_steps < 0) return fail("a warm-up cannot be negative");
  return {};
}

double learning_rate_at(const LearningRateSchedule& schedule, double base, const TrainingPosition& position) {
  const double rate = unwarmed(schedule, base, position);
  const std::int64_t warmup = warmup_of(schedule, position);
  if (position.step >= warmup) return rate;
  return rate * static_cast<double>(position.step + 1) / static_cast<double>(warmup);
}

}  // namespace lathe::compression

#include <lathe/compression/schedule.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

Result<void> check_rounds(const char* name, std::int64_t rounds, std::int64_t epochs) {
  if (rounds < 1) return fail(fmt::format("{} is {}; expected 1 or more", name, rounds));
  if (epochs < 1) return fail(fmt::format("epochs_per_iteration is {}; expected 1 or more", epochs));
  return {};
}

}  // namespace

double AgpSchedule::sparsity(std::int64_t epoch) const {
  if (epoch < start_epoch) return 0;
  const std::int64_t span = (end_epoch - start_epoch - 1) / frequency * frequency;
  const std::int64_t refreshed = (epoch - start_epoch) / frequency * frequency;
  if (span <= 0 || refreshed >= span) return final_sparsity;
  const double left = 1 - static_cast<double>(refreshed) / static_cast<double>(span);
  return final_sparsity + (initial_sparsity - final_sparsity) * left * left * left;
}

std::int64_t AgpSchedule::epochs_needed() const {
  return std::max(end_epoch, start_epoch > 0 ? start_epoch + 1 : 0);
}

double LinearSchedule::sparsity(double target, std::int64_t epoch) const {
  const std::int64_t round = epoch / epochs_per_iteration;
  if (round >= total_iteration) return target;
  return target * static_cast<double>(round) / static_cast<double>(total_iteration);
}

double LotterySchedule::sparsity(double target, std::int64_t epoch) const {
  const std::int64_t round = epoch / epochs_per_iteration;
  if (round >= prune_iterations) return target;
  return 1 - std::pow(1 - target, static_cast<double>(round) / static_cast<double>(prune_iterations));
}

bool LotterySchedule::rewinds(std::int64_t epoch) const {
  return reset_weights && epoch > 0 && epoch % epochs_per_iteration == 0 &&
         epoch / epochs_per_iteration <= prune_iterations;
}

AgpSchedule agp_schedule(const SparsityTarget& target, const AgpSchedule& defaults) {
  AgpSchedule schedule = defaults;
  schedule.final_sparsity = target.sparsity;
  schedule.initial_sparsity = target.initial_sparsity.value_or(defaults.initial_sparsity);
  schedule.start_epoch = target.start_epoch.value_or(defaults.start_epoch);
  schedule.end_epoch = target.end_epoch.value_or(defaults.end_epoch);
  schedule.frequency = target.frequency.value_or(defaults.frequency);
  return schedule;
}

Result<void> check_schedule(const Schedule& schedule) {
  if (const auto* linear = std::get_if<LinearSchedule>(&schedule)) {
    return check_rounds("total_iteration", linear->total_iteration, linear->epochs_per_iteration);
  }
  if (const auto* lottery = std::get_if<LotterySchedule>(&schedule)) {
    return check_rounds("prune_iterations", lottery->prune_iterations, lottery->epochs_per_iteration);
  }
  if (const auto frequency = std::get<AgpSchedule>(schedule).frequency; frequency < 1) {
    return fail(fmt::format("frequency is {}; expected 1 or more", frequency));
  }
  return {};
}

double scheduled_sparsity(const Schedule& schedule, const SparsityTarget& target, std::int64_t epoch) {
  if (const auto* agp = std::get_if<AgpSchedule>(&schedule)) return agp_schedule(target, *agp).sparsity(epoch);
  if (const auto* linear = std::get_if<LinearSchedule>(&schedule)) return linear->sparsity(target.sparsity, epoch);
  return std::get<LotterySchedule>(schedule).sparsity(target.sparsity, epoch);
}

std::int64_t epochs_needed(const Schedule& schedule, const SparsityTarget& target) {
  if (const auto* agp = std::get_if<AgpSchedule>(&schedule)) return agp_schedule(target, *agp).epochs_needed();
  if (const auto* linear = std::get_if<LinearSchedule>(&schedule)) return linear->epochs_needed();
  return std::get<LotterySchedule>(schedule).epochs_needed();
}

}  // namespace lathe::compression

#include <lathe/compression/schedule.hpp>

namespace lathe::compression {

double AgpSchedule::sparsity(std::int64_t epoch) const {
  if (epoch < start_epoch) return 0;
  const std::int64_t span = (end_epoch - start_epoch - 1) / frequency * frequency;
  const std::int64_t refreshed = (epoch - start_epoch) / frequency * frequency;
  if (span <= 0 || refreshed >= span) return final_sparsity;
  const double left = 1 - static_cast<double>(refreshed) / static_cast<double>(span);
  return final_sparsity + (initial_sparsity - final_sparsity) * left * left * left;
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

}  // namespace lathe::compression

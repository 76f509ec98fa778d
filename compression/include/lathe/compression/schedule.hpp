// Automated gradual pruning: Zhu and Gupta, "To prune, or not to prune", 2017 (arXiv 1710.01878), with NNI 1.x's keys.
#pragma once

#include <cstdint>

#include <lathe/compression/config_list.hpp>

namespace lathe::compression {

/// The target of epoch t: s_t = s_f + (s_i - s_f) (1 - (t - start) / span)^3, refreshed every `frequency` epochs,
/// span = floor((end - start - 1) / frequency) * frequency. A span of 0 or less goes straight to the final sparsity.
struct AgpSchedule {
  double initial_sparsity = 0;
  double final_sparsity = 0;
  std::int64_t start_epoch = 0;
  std::int64_t end_epoch = 0;  ///< first epoch after the schedule
  std::int64_t frequency = 1;

  /// Sparsity to have in epoch `t` (0-based); 0 before the start, the final one from `end_epoch` on.
  [[nodiscard]] double sparsity(std::int64_t epoch) const;
};

/// Fills in what the target leaves open from `defaults`, which also holds for a target without AGP's keys.
[[nodiscard]] AgpSchedule agp_schedule(const SparsityTarget& target, const AgpSchedule& defaults);

}  // namespace lathe::compression

// How the sparsity grows while a model trains: AGP, linear, lottery ticket. With each, epochs are 0-based.
#pragma once

#include <cstdint>
#include <variant>

#include <lathe/compression/config_list.hpp>

namespace lathe::compression {

/// Automated gradual pruning: Zhu and Gupta, "To prune, or not to prune", 2017 (arXiv 1710.01878), with NNI 1.x's keys.
/// The target of epoch t: s_t = s_f + (s_i - s_f) (1 - (t - start) / span)^3, refreshed every `frequency` epochs,
/// span = floor((end - start - 1) / frequency) * frequency. A span of 0 or less goes straight to the final sparsity.
/// NNI 2.x's num_iterations n of e epochs each is end = n · e, frequency = e; its v2 total_iteration T is n = T + 1.
struct AgpSchedule {
  double initial_sparsity = 0;
  double final_sparsity = 0;
  std::int64_t start_epoch = 0;
  std::int64_t end_epoch = 0;  ///< first epoch after the schedule
  std::int64_t frequency = 1;

  /// Sparsity to have in epoch `t`; 0 before the start, the final one from `end_epoch` on.
  [[nodiscard]] double sparsity(std::int64_t epoch) const;
  [[nodiscard]] std::int64_t epochs_needed() const;
};

/// In equal steps: target · i / total_iteration in round i = 0 … total_iteration, each of so many epochs.
struct LinearSchedule {
  std::int64_t total_iteration = 10;      ///< > 0
  std::int64_t epochs_per_iteration = 1;  ///< > 0

  [[nodiscard]] double sparsity(double target, std::int64_t epoch) const;
  [[nodiscard]] std::int64_t epochs_needed() const { return (total_iteration + 1) * epochs_per_iteration; }
};

/// The lottery ticket hypothesis: Frankle and Carbin, 2018 (arXiv 1803.03635). Round i = 0 … prune_iterations has the
/// sparsity 1 - (1 - target)^(i / prune_iterations), so each prunes the same share of what is left; the first trains
/// the dense network. A round's mask comes from the weights that the round before has trained; then the weights go back
/// to what they were at the start of the first round, and optimizer and learning-rate schedule begin anew.
struct LotterySchedule {
  std::int64_t prune_iterations = 5;      ///< > 0
  std::int64_t epochs_per_iteration = 1;  ///< > 0
  bool reset_weights = true;              ///< false: weights, optimizer and learning rate go on as they are

  [[nodiscard]] double sparsity(double target, std::int64_t epoch) const;
  [[nodiscard]] std::int64_t epochs_needed() const { return (prune_iterations + 1) * epochs_per_iteration; }
  /// Whether weights, optimizer and learning-rate schedule begin anew with this epoch.
  [[nodiscard]] bool rewinds(std::int64_t epoch) const;
};

using Schedule = std::variant<AgpSchedule, LinearSchedule, LotterySchedule>;

/// Fills in what the target leaves open from `defaults`, which also holds for a target without AGP's keys.
[[nodiscard]] AgpSchedule agp_schedule(const SparsityTarget& target, const AgpSchedule& defaults);

/// Errors: a number of rounds or epochs below 1.
[[nodiscard]] Result<void> check_schedule(const Schedule& schedule);

/// Sparsity that a layer of this target has in epoch `t`; AGP's keys in the target go before the schedule's.
[[nodiscard]] double scheduled_sparsity(const Schedule& schedule, const SparsityTarget& target, std::int64_t epoch);

/// Epochs of training until the final sparsity is reached and has been trained at for a round.
[[nodiscard]] std::int64_t epochs_needed(const Schedule& schedule, const SparsityTarget& target);

}  // namespace lathe::compression

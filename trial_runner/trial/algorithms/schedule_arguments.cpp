#include "algorithms/schedule_arguments.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "algorithms/pruner_arguments.hpp"

namespace lathe::trial {
namespace {

constexpr std::int64_t kDefaultIterations = 10;  // NNI's
constexpr std::int64_t kMostEpochs = 1'000'000;

Result<compression::Schedule> make_agp(const ScheduleArguments& arguments, std::int64_t finetuning_epochs) {
  compression::AgpSchedule schedule;
  schedule.initial_sparsity = arguments.initial_sparsity;
  schedule.start_epoch = arguments.start_epoch;
  schedule.frequency = arguments.frequency.value_or(1);
  schedule.end_epoch = arguments.end_epoch.value_or(finetuning_epochs);
  auto iterations = arguments.iterations;
  if (arguments.total_iteration) iterations = *arguments.total_iteration + 1;
  if (!iterations && !arguments.epochs_per_iteration) return schedule;
  // NNI 2.x counts iterations of so many epochs; NNI 1.x says the same with end_epoch and frequency.
  if (arguments.end_epoch || arguments.frequency) {
    return fail(fmt::format("parameter::{} and num_iterations or epochs_per_iteration say the same thing; keep one",
                            arguments.end_epoch ? "end_epoch" : "frequency"));
  }
  schedule.frequency = arguments.epochs_per_iteration.value_or(1);
  schedule.end_epoch = schedule.start_epoch + schedule.frequency * iterations.value_or(kDefaultIterations);
  if (schedule.end_epoch <= kMostEpochs) return schedule;
  return fail(fmt::format("num_iterations and epochs_per_iteration make {} epochs; at most {} are allowed",
                          schedule.end_epoch, kMostEpochs));
}

/// Rounds without a number take up the fine-tuning's epochs: the first round is the dense network's.
std::int64_t rounds(const ScheduleArguments& arguments, std::int64_t finetuning_epochs) {
  const std::int64_t epochs = arguments.epochs_per_iteration.value_or(1);
  if (arguments.total_iteration) return *arguments.total_iteration;
  return arguments.iterations.value_or(std::max<std::int64_t>(1, finetuning_epochs / epochs - 1));
}

}  // namespace

Result<compression::PruningMetric> read_pruning_algorithm(const AlgorithmKeys& keys, std::string_view argument,
                                                          compression::PruningMetric by_default) {
  for (const auto& [name, value] : keys.arguments) {
    if (name != argument) continue;
    const auto found = find_algorithm(value.is_string() ? value.get<std::string>() : value.dump());
    const auto metric = found ? metric_of(*found) : std::nullopt;
    if (metric) return *metric;
    return fail(
        fmt::format("parameter::{} is {}; expected level, l1, l2, fpgm, slim, taylorfo, apoz or mean_activation", name,
                    value.dump()));
  }
  return by_default;
}

void declare_schedule_arguments(ArgumentTable& table, Algorithm algorithm, ScheduleArguments& arguments) {
  table.known("pruning_algorithm");
  table.count("epochs_per_iteration", arguments.epochs_per_iteration, 1);
  if (algorithm == Algorithm::LotteryTicket) {
    table.count("prune_iterations", arguments.iterations, 1);
    table.flag("reset_weights", arguments.reset_weights);
    return;
  }
  table.count("num_iterations", arguments.iterations, 1);
  table.count("total_iteration", arguments.total_iteration, 1);
  if (algorithm != Algorithm::Agp) return;
  table.number("initial_sparsity", arguments.initial_sparsity, {0, 1, false, true});
  table.count("start_epoch", arguments.start_epoch, 0);
  table.count("end_epoch", arguments.end_epoch, 0);
  table.count("frequency", arguments.frequency, 1);
}

Result<compression::Schedule> make_schedule(Algorithm algorithm, const ScheduleArguments& arguments,
                                            std::int64_t finetuning_epochs) {
  if (arguments.iterations && arguments.total_iteration)
    return fail("parameter::num_iterations and total_iteration say the same thing; keep one");
  if (algorithm == Algorithm::Agp) return make_agp(arguments, finetuning_epochs);
  const std::int64_t epochs = arguments.epochs_per_iteration.value_or(1);
  const std::int64_t iterations = rounds(arguments, finetuning_epochs);
  if (algorithm == Algorithm::Linear) return compression::LinearSchedule{iterations, epochs};
  return compression::LotterySchedule{iterations, epochs, arguments.reset_weights};
}

}  // namespace lathe::trial

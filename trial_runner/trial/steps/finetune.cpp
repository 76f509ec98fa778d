#include "steps/finetune.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lathe::trial {

using compression::Evaluation;
using compression::TrainingHooks;
using compression::TrainingProgress;
using compression::TrainingSummary;

Result<Evaluation> judge(const compression::Network& network, const Workshop& workshop) {
  const auto& config = workshop.setup.config;
  return evaluate(network, workshop.setup.test, config.evaluation.batch_size, loss_of(config));
}

Result<void> finetune(const compression::Network& network, compression::Compressor* compressor,
                      const Workshop& workshop, std::int64_t least_epochs) {
  compression::TrainingOptions options = workshop.finetuning;
  options.epochs = std::max(options.epochs, least_epochs);
  Evaluation quality;
  TrainingHooks hooks;
  hooks.after_batch = workshop.after_batch;
  hooks.judge = [&](const TrainingProgress&) -> Result<double> {
    const auto judged = judge(network, workshop);
    if (!judged) return tl::unexpected(judged.error());
    quality = *judged;
    return judged_value(quality, workshop.setup.config);
  };
  hooks.after_epoch = [&](const TrainingProgress& progress) { return workshop.after_epoch(progress, quality); };
  hooks.after_training = [&](const TrainingSummary& summary) {
    if (summary.stopped_early) workshop.say(fmt::format("stopped early after {} epochs", summary.epochs));
    if (summary.restored) workshop.say(fmt::format("went back to epoch {}, the best", *summary.best_epoch + 1));
  };
  return train(network, workshop.setup.train, options, compressor, hooks);
}

TrainingHooks quiet_hooks(const Workshop& workshop) {
  TrainingHooks hooks;
  hooks.after_batch = workshop.after_batch;
  hooks.after_epoch = [&workshop](const TrainingProgress& progress) -> Result<void> {
    workshop.say(fmt::format("sparsifying epoch {}/{}: training loss {:.4f}", progress.epoch + 1, progress.epochs,
                             progress.loss));
    return {};
  };
  return hooks;
}

}  // namespace lathe::trial

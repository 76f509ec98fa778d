#include "training/option_check.hpp"

#include <fmt/format.h>

#include "training/optimizer.hpp"

namespace lathe::compression {
namespace {

Result<void> check_judging(const TrainingOptions& options, const TrainingHooks& hooks) {
  if (options.early_stop && (options.early_stop->patience < 1 || !(options.early_stop->min_delta >= 0))) {
    return fail("an early stop needs a patience of at least 1 and a min_delta of at least 0");
  }
  if ((options.early_stop || options.restore_best) && !hooks.judge) {
    return fail("an early stop and the best epoch need epochs that are judged");
  }
  return {};
}

Result<void> check_loss(const TrainingOptions& options) {
  const bool has_classes = tells_classes_apart(options.loss.kind);
  const double smoothing = options.loss.label_smoothing;
  if (!(smoothing >= 0 && smoothing < 1)) {
    return fail(fmt::format("label smoothing is {}; expected 0 or more and less than 1", smoothing));
  }
  if (!has_classes && smoothing > 0) return fail("label smoothing needs a loss that tells classes apart");
  if (!options.distillation) return {};
  const auto& [teacher, temperature, alpha] = *options.distillation;
  if (!has_classes) return fail("distillation needs a loss that tells classes apart");
  if (!(temperature > 0) || !(alpha >= 0 && alpha <= 1)) {
    return fail(fmt::format("distillation with temperature {} and alpha {}; expected more than 0, and 0 to 1",
                            temperature, alpha));
  }
  return {};
}

}  // namespace

Result<void> check_options(const TrainingOptions& options, const TrainingHooks& hooks) {
  if (options.batch_size < 1) return fail(fmt::format("the batch size is {}; expected at least 1", options.batch_size));
  if (auto sound = check_optimizer(options.optimizer); !sound) return sound;
  if (auto sound = check_schedule(options.schedule); !sound) return sound;
  if (options.prefetch.value_or(0) < 0) return fail("a negative number of batches cannot be prepared ahead");
  for (const auto& limit : {options.clip_norm, options.clip_value}) {
    if (limit && !(*limit > 0)) return fail(fmt::format("gradients cannot be clipped to {}", *limit));
  }
  if (auto sound = check_loss(options); !sound) return sound;
  return check_judging(options, hooks);
}

}  // namespace lathe::compression

#include "iterative/workbench.hpp"

#include <cmath>

#include <fmt/format.h>

#include <lathe/compression/kept_masks.hpp>
#include <lathe/compression/pruning.hpp>
#include <lathe/compression/speedup.hpp>

#include "iterative/snapshot.hpp"

namespace lathe::compression {

Masks Workbench::extended(const Masks& masks) const {
  if (!space_.structured() || !context_.example.defined() || masks.empty()) return masks;
  auto extended = extend_masks(context_.network.model(), masks, context_.example);
  return extended ? std::move(*extended) : masks;
}

Result<double> Workbench::judge() const {
  const auto metric = context_.evaluate(context_.network);
  if (metric && !std::isfinite(*metric)) {
    return fail(fmt::format("the evaluation of a pruned model gave {}; expected a finite number", *metric));
  }
  return metric;
}

Result<double> Workbench::judge_masked(const Masks& masks) const {
  const Snapshot before(context_.network.model());
  apply_masks(context_.network.model(), extended(masks));
  const auto metric = judge();
  before.restore();
  return metric;
}

Result<void> Workbench::finetune(const Masks& masks, std::int64_t epochs, std::int64_t iteration) const {
  KeptMasks kept(context_.network.model(), masks);
  if (epochs == 0) return {};
  TrainingOptions options = context_.finetuning;
  options.epochs = epochs;
  options.seed = context_.seed + static_cast<std::uint64_t>(iteration);
  return train(context_.network, context_.train, options, &kept, {});
}

Result<void> Workbench::tell(std::vector<IterativeStep>& history, IterativeStep step) const {
  say(fmt::format("iteration {}: {}, sparsity {:.4f}, metric {:.4f}", step.iteration, step.what, step.sparsity,
                  step.metric));
  history.push_back(std::move(step));
  if (!context_.intermediate) return {};
  return context_.intermediate(history.back());
}

void Workbench::say(const std::string& sentence) const {
  if (context_.progress) context_.progress(sentence);
}

Result<void> require(bool sound, const std::string& name, double value, const std::string& what) {
  if (sound) return {};
  return fail(fmt::format("{} is {}; expected {}", name, value, what));
}

}  // namespace lathe::compression

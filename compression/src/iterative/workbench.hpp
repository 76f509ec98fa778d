// What every iterative pruner does with a model again and again: mask it, judge it, put it back, fine-tune it, tell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lathe/compression/iterative.hpp>

#include "iterative/pruning_space.hpp"

namespace lathe::compression {

class Workbench {
 public:
  Workbench(const IterativeContext& context, const PruningSpace& space) : context_(context), space_(space) {}

  /// What the masks become with what sits behind fully masked filters (see extend_masks). A model that cannot be traced
  /// keeps them as they are; speed_up will say why.
  [[nodiscard]] Masks extended(const Masks& masks) const;

  /// Of the model as it is. The error says that the metric is not a finite number.
  [[nodiscard]] Result<double> judge() const;
  /// Of the model with these masks; its weights are put back.
  [[nodiscard]] Result<double> judge_masked(const Masks& masks) const;

  /// Puts the masks into force and trains under them. Iterations differ in the order of the records.
  [[nodiscard]] Result<void> finetune(const Masks& masks, std::int64_t epochs, std::int64_t iteration) const;

  /// Records the step, says it, and hands it to the context's hook.
  [[nodiscard]] Result<void> tell(std::vector<IterativeStep>& history, IterativeStep step) const;
  void say(const std::string& sentence) const;

 private:
  const IterativeContext& context_;
  const PruningSpace& space_;
};

/// `{name} is {value}; expected {what}` unless `sound`.
[[nodiscard]] Result<void> require(bool sound, const std::string& name, double value, const std::string& what);

}  // namespace lathe::compression

#include "steps/prune.hpp"

#include <lathe/compression/pruning.hpp>

#include "steps/finetune.hpp"

namespace lathe::trial {

using compression::Network;
using compression::Pruning;

Result<Compressed> prune(const PruningPlan& plan, Workshop& workshop) {
  const Network network(workshop.model);
  compression::PrunerOptions options = plan.options;
  if (options.metric != compression::PruningMetric::Level) options.round_to = workshop.setup.config.speedup.round_to;
  auto pruning = Pruning::create(options, plan.layers, plan.schedule, network, workshop.example);
  if (!pruning) return tl::unexpected(pruning.error());
  (*pruning)->extend_over(workshop.model, workshop.example);

  auto sparsified = (*pruning)->sparsify(network, workshop.setup.train, workshop.sparsifying, quiet_hooks(workshop));
  if (!sparsified) return tl::unexpected(sparsified.error());

  Compressed result{workshop.model, network};
  if (!plan.schedule) {
    // What pruning alone costs; a schedule prunes while it trains, so there is no such moment.
    if (auto pruned = (*pruning)->update_epoch(0); !pruned) return tl::unexpected(pruned.error());
    const auto before = judge(network, workshop);
    if (!before) return tl::unexpected(before.error());
    result.before_finetuning = *before;
  }
  auto trained = finetune(network, pruning->get(), workshop, (*pruning)->epochs_needed());
  if (!trained) return tl::unexpected(trained.error());
  workshop.model.eval();
  result.masks = (*pruning)->masks();
  result.structured = (*pruning)->structured();
  return result;
}

}  // namespace lathe::trial

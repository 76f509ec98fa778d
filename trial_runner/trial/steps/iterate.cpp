#include "steps/iterate.hpp"

#include <fmt/format.h>

#include <lathe/compression/kept_masks.hpp>
#include <lathe/compression/pruner.hpp>

#include "steps/finetune.hpp"

namespace lathe::trial {
namespace {

using compression::IterativeStep;
using compression::Network;
using Json = nlohmann::ordered_json;

Json to_json(const IterativeStep& step) {
  return {{"iteration", step.iteration},
          {"what", step.what},
          {"sparsity", step.sparsity},
          {"metric", step.metric},
          {"sparsities", step.sparsities}};
}

compression::IterativeContext context_of(const IterativePlan& plan, const Workshop& workshop) {
  const auto evaluate = [&workshop](const Network& network) -> Result<double> {
    const auto quality = judge(network, workshop);
    if (!quality) return tl::unexpected(quality.error());
    return judged_value(*quality, workshop.setup.config);
  };
  const auto told = [&workshop](const IterativeStep& step) -> Result<void> {
    workshop.say(fmt::format("iteration {}: {} sparsity {:.4f}, metric {:.4f}", step.iteration, step.what,
                             step.sparsity, step.metric));
    return {};
  };
  return {Network(workshop.model),
          plan.layers,
          workshop.setup.train,
          workshop.sparsifying,
          evaluate,
          workshop.example,
          workshop.setup.config.seed,
          speedup_of(workshop.setup.config),
          workshop.say,
          told};
}

bool is_structured(const IterativeOptions& options) {
  const auto base = std::visit([](const auto& chosen) { return chosen.base_algo; }, options);
  return compression::Pruner::create(base)->structured();
}

}  // namespace

Result<Compressed> iterate(const IterativePlan& plan, Workshop& workshop) {
  auto found = make_iterative_pruner(plan.options)->run(context_of(plan, workshop));
  if (!found) return tl::unexpected(found.error());
  if (found->model) workshop.model = *found->model;

  const Network network(workshop.model);
  compression::KeptMasks kept(workshop.model, found->masks);
  const auto before = judge(network, workshop);
  if (!before) return tl::unexpected(before.error());
  if (auto trained = finetune(network, &kept, workshop); !trained) return tl::unexpected(trained.error());
  workshop.model.eval();

  Compressed result{workshop.model, network};
  result.before_finetuning = *before;
  result.masks = std::move(found->masks);
  result.structured = is_structured(plan.options);
  for (const IterativeStep& step : found->history) result.details["iterations"].push_back(to_json(step));
  return result;
}

}  // namespace lathe::trial

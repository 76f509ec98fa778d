#include "algorithms/pruner_arguments.hpp"

namespace lathe::trial {
namespace {

using compression::PrunerOptions;
using compression::PruningMetric;
using compression::PruningMode;

bool reads_activations(PruningMetric metric) {
  return metric == PruningMetric::Apoz || metric == PruningMetric::MeanActivation;
}

void declare_modes(ArgumentTable& table, PrunerOptions& options) {
  if (options.metric == PruningMetric::Level) {
    // Balanced is normal with blocks: NNI's mode `balance` says that balance_gran counts.
    table.choice("mode", options.mode,
                 {{"normal", PruningMode::Normal}, {"global", PruningMode::Global}, {"balance", PruningMode::Normal}});
    table.counts("balance_gran", options.balance_gran, 1);
  } else if (options.metric == PruningMetric::Slim) {
    table.choice("mode", options.mode, {{"global", PruningMode::Global}});
  } else if (has_group_importance(options.metric)) {
    table.choice("mode", options.mode,
                 {{"normal", PruningMode::Normal},
                  {"global", PruningMode::Global},
                  {"dependency_aware", PruningMode::DependencyAware},
                  {"group", PruningMode::Group}});
    using enum compression::GroupReduction;
    table.choice("group_reduction", options.group_reduction, {{"mean", Mean}, {"sum", Sum}, {"max", Max}});
    table.switched("dependency_aware", options.mode, PruningMode::DependencyAware);
  } else {
    table.choice("mode", options.mode,
                 {{"normal", PruningMode::Normal},
                  {"global", PruningMode::Global},
                  {"dependency_aware", PruningMode::DependencyAware}});
    table.switched("dependency_aware", options.mode, PruningMode::DependencyAware);
  }
}

}  // namespace

std::optional<PruningMetric> metric_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::Level:
      return PruningMetric::Level;
    case Algorithm::L1:
      return PruningMetric::L1;
    case Algorithm::L2:
      return PruningMetric::L2;
    case Algorithm::Fpgm:
      return PruningMetric::Fpgm;
    case Algorithm::Slim:
      return PruningMetric::Slim;
    case Algorithm::TaylorFo:
      return PruningMetric::TaylorFo;
    case Algorithm::Apoz:
      return PruningMetric::Apoz;
    case Algorithm::MeanActivation:
      return PruningMetric::MeanActivation;
    default:
      return std::nullopt;
  }
}

void declare_pruner_arguments(ArgumentTable& table, PrunerOptions& options) {
  declare_modes(table, options);
  if (options.metric == PruningMetric::Slim) {
    // NNI 2.6 renamed its 2.5 arguments; both are known.
    for (const char* name : {"sparsifying_training_epochs", "training_epochs"})
      table.count(name, options.sparsifying_training_epochs, 0);
    table.number("scale", options.scale, {});
  }
  if (options.metric == PruningMetric::TaylorFo || reads_activations(options.metric)) {
    for (const char* name : {"sparsifying_training_batches", "training_batches"})
      table.count(name, options.sparsifying_training_batches, 1);
  }
  if (options.metric == PruningMetric::TaylorFo) table.flag("global_sort", options.global_sort);
  if (reads_activations(options.metric)) {
    using enum compression::Activation;
    table.choice("activation", options.activation, {{"relu", Relu}, {"relu6", Relu6}});
  }
}

}  // namespace lathe::trial

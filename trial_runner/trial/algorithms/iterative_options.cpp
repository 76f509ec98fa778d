#include "algorithms/iterative_options.hpp"

#include <stdexcept>

namespace lathe::trial {
namespace {

using namespace compression;

constexpr NumberRange kShare{0, 1, true, true};
constexpr NumberRange kPositive{0, 1e12, true, false};

void declare_annealing(ArgumentTable& table, AnnealingOptions& options) {
  table.number("start_temperature", options.start_temperature, kPositive);
  table.number("stop_temperature", options.stop_temperature, kPositive);
  table.number("cool_down_rate", options.cool_down_rate, kShare);
  table.number("perturbation_magnitude", options.perturbation_magnitude, kPositive);
}

/// NNI calls ADMM's own arguments differently inside AutoCompress, where both have iterations.
void declare_admm(ArgumentTable& table, AdmmOptions& options, bool inside_auto_compress) {
  const auto named = [&](const char* alone, const char* inside) { return inside_auto_compress ? inside : alone; };
  table.count(named("num_iterations", "admm_num_iterations"), options.num_iterations, 1);
  table.count(named("epochs_per_iteration", "admm_epochs_per_iteration"), options.epochs_per_iteration, 1);
  table.number("row", options.row, {0, 1, true, false});
}

/// The table keeps references into the options, which stay where they are.
struct Declarer {
  ArgumentTable& table;

  void operator()(NetAdaptOptions& options) const {
    table.number("sparsity_per_iteration", options.sparsity_per_iteration, kShare);
    table.count("finetune_epochs", options.finetune_epochs, 0);
  }
  void operator()(AnnealingOptions& options) const { declare_annealing(table, options); }
  void operator()(AdmmOptions& options) const { declare_admm(table, options, false); }
  void operator()(AutoCompressOptions& options) const {
    table.count("num_iterations", options.num_iterations, 1);
    declare_annealing(table, options.annealing);
    declare_admm(table, options.admm, true);
  }
  void operator()(SensitivityOptions& options) const {
    table.number("sparsity_per_iter", options.sparsity_per_iter, kShare);
    table.number("acc_drop_threshold", options.acc_drop_threshold, {0, 1, false, false});
    table.count("finetune_epochs", options.finetune_epochs, 0);
  }
};

struct Maker {
  std::unique_ptr<IterativePruner> operator()(const NetAdaptOptions& options) const {
    return std::make_unique<NetAdapt>(options);
  }
  std::unique_ptr<IterativePruner> operator()(const AnnealingOptions& options) const {
    return std::make_unique<SimulatedAnnealing>(options);
  }
  std::unique_ptr<IterativePruner> operator()(const AdmmOptions& options) const {
    return std::make_unique<Admm>(options);
  }
  std::unique_ptr<IterativePruner> operator()(const AutoCompressOptions& options) const {
    return std::make_unique<AutoCompress>(options);
  }
  std::unique_ptr<IterativePruner> operator()(const SensitivityOptions& options) const {
    return std::make_unique<Sensitivity>(options);
  }
};

template <class Options>
IterativeOptions with_base(PruningMetric base) {
  Options options;
  options.base_algo = base;
  return options;
}

}  // namespace

IterativeOptions make_iterative_options(Algorithm algorithm, PruningMetric base) {
  switch (algorithm) {
    case Algorithm::NetAdapt:
      return with_base<NetAdaptOptions>(base);
    case Algorithm::SimulatedAnnealing:
      return with_base<AnnealingOptions>(base);
    case Algorithm::Admm:
      return with_base<AdmmOptions>(base);
    case Algorithm::AutoCompress:
      return with_base<AutoCompressOptions>(base);
    case Algorithm::Sensitivity:
      return with_base<SensitivityOptions>(base);
    default:
      throw std::logic_error("not an iterative pruner: " + std::string(name_of(algorithm)));
  }
}

void declare_iterative_arguments(ArgumentTable& table, IterativeOptions& options) {
  table.known("base_algo");
  std::visit(Declarer{table}, options);
}

std::unique_ptr<IterativePruner> make_iterative_pruner(const IterativeOptions& options) {
  return std::visit(Maker{}, options);
}

}  // namespace lathe::trial

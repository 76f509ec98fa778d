#include "algorithms/plan.hpp"

#include <fmt/format.h>

#include <lathe/compression/quantizer_rules.hpp>

#include "algorithms/algorithm_keys.hpp"
#include "algorithms/pruner_arguments.hpp"
#include "algorithms/quantizer_arguments.hpp"
#include "algorithms/schedule_arguments.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using compression::ConfigEntry;
using compression::EntryKeys;

EntryKeys entry_keys(Algorithm algorithm) {
  if (family_of(algorithm) == Family::Quantizer) return EntryKeys::Quantizer;
  switch (algorithm) {
    case Algorithm::Agp:
      return EntryKeys::Scheduled;
    case Algorithm::LotteryTicket:
      return EntryKeys::Lottery;
    case Algorithm::Admm:
    case Algorithm::AutoCompress:
      return EntryKeys::Admm;
    default:
      return EntryKeys::OneShot;
  }
}

/// One plan in the making: the algorithm, its keys, and what they are read for.
class Planner {
 public:
  Planner(Algorithm algorithm, const NamedAlgorithm& named, const PlanInput& input)
      : algorithm_(algorithm), named_(named), input_(input), table_(std::string(name_of(algorithm))) {}

  Result<Plan> run() {
    if (auto sorted = sort_keys(); !sorted) return tl::unexpected(sorted.error());
    plan_.algorithm = algorithm_;
    switch (family_of(algorithm_)) {
      case Family::OneShot:
        return plan_pruning(std::nullopt);
      case Family::Scheduled:
        return plan_schedule();
      case Family::Iterative:
        return plan_iterative();
      case Family::Quantizer:
        break;
    }
    return plan_quantization();
  }

 private:
  Result<void> sort_keys() {
    std::vector<std::string> names;
    for (const auto& module : input_.modules) names.push_back(module.name);
    auto keys = sort_algorithm_keys(named_.keys, default_entry(), names);
    if (!keys) return tl::unexpected(keys.error());
    keys_ = std::move(*keys);
    return {};
  }

  [[nodiscard]] DefaultEntry default_entry() const {
    if (family_of(algorithm_) != Family::Quantizer) return {{"default"}};
    const auto* rules = compression::find_quantizer_rules(name_of(algorithm_));
    return {rules->general_types, {{"quant_types", default_quant_types(algorithm_)}}};
  }

  /// The parameters' entries, then the fixed ones.
  Result<std::vector<ConfigEntry>> entries() const {
    const EntryKeys keys = entry_keys(algorithm_);
    std::vector<ConfigEntry> entries;
    for (const WrittenEntry& written : keys_.entries) {
      auto entry = compression::parse_config_entry(written.entry, keys, written.label);
      if (!entry) return tl::unexpected(entry.error());
      entries.push_back(std::move(*entry));
    }
    auto fixed = compression::parse_config_list(input_.fixed_entries, keys, "compression.configList");
    if (!fixed) return tl::unexpected(fixed.error());
    entries.insert(entries.end(), fixed->begin(), fixed->end());
    return entries;
  }

  Result<std::vector<compression::SelectedLayer>> select(const compression::Pruner& pruner) {
    const auto list = entries();
    if (!list) return tl::unexpected(list.error());
    auto selection = compression::select_layers(*list, input_.layers, pruner.default_types());
    if (!selection) return tl::unexpected(selection.error());
    if (auto fit = check_layers(pruner, selection->layers); !fit) return tl::unexpected(fit.error());
    plan_.warnings = std::move(selection->warnings);
    return std::move(selection->layers);
  }

  Result<Plan> plan_pruning(std::optional<compression::PruningMetric> scheduled) {
    PruningPlan pruning;
    pruning.options.metric = scheduled ? *scheduled : *metric_of(algorithm_);
    if (input_.sparsifying_epochs) pruning.options.sparsifying_training_epochs = *input_.sparsifying_epochs;
    declare_pruner_arguments(table_, pruning.options);
    if (auto read = table_.read(keys_.arguments); !read) return tl::unexpected(read.error());
    if (auto sound = check_options(pruning.options); !sound) return tl::unexpected(sound.error());
    auto layers = select(*compression::Pruner::create(pruning.options, {}));
    if (!layers) return tl::unexpected(layers.error());
    pruning.layers = std::move(*layers);
    plan_.how = std::move(pruning);
    return std::move(plan_);
  }

  Result<Plan> plan_schedule() {
    const auto metric = read_pruning_algorithm(keys_, "pruning_algorithm", compression::PruningMetric::Level);
    if (!metric) return tl::unexpected(metric.error());
    ScheduleArguments arguments;
    declare_schedule_arguments(table_, algorithm_, arguments);
    auto plan = plan_pruning(*metric);
    if (!plan) return plan;
    auto& pruning = std::get<PruningPlan>(plan->how);
    if (const auto rounds = pruning.layers.front().target.prune_iterations) arguments.iterations = rounds;
    auto schedule = make_schedule(algorithm_, arguments, input_.finetuning_epochs);
    if (!schedule) return tl::unexpected(schedule.error());
    pruning.schedule = std::move(*schedule);
    return plan;
  }

  Result<Plan> plan_iterative() {
    const auto base = read_pruning_algorithm(keys_, "base_algo", compression::PruningMetric::L1);
    if (!base) return tl::unexpected(base.error());
    if (auto fits = compression::check_base(*base); !fits) return fail("parameter::" + fits.error().message);
    IterativePlan iterative{make_iterative_options(algorithm_, *base), {}};
    declare_iterative_arguments(table_, iterative.options);
    if (auto read = table_.read(keys_.arguments); !read) return tl::unexpected(read.error());
    auto layers = select(*compression::Pruner::create(*base));
    if (!layers) return tl::unexpected(layers.error());
    iterative.layers = std::move(*layers);
    plan_.how = std::move(iterative);
    return std::move(plan_);
  }

  Result<Plan> plan_quantization() {
    QuantizationPlan quantization;
    quantization.kind = quantizer_kind(algorithm_);
    declare_quantizer_arguments(table_, quantization.kind, quantization.options);
    if (auto read = table_.read(keys_.arguments); !read) return tl::unexpected(read.error());
    const auto list = entries();
    if (!list) return tl::unexpected(list.error());
    const auto* rules = compression::find_quantizer_rules(name_of(algorithm_));
    auto selection = compression::select_quantized(*list, input_.modules, *rules);
    if (!selection) return tl::unexpected(selection.error());
    quantization.layers = std::move(selection->layers);
    plan_.warnings = std::move(selection->warnings);
    plan_.how = std::move(quantization);
    return std::move(plan_);
  }

  Algorithm algorithm_;
  const NamedAlgorithm& named_;
  const PlanInput& input_;
  ArgumentTable table_;
  AlgorithmKeys keys_;
  Plan plan_;
};

std::string describe(const compression::SelectedLayer& selected) {
  const auto& [layer, target] = selected;
  return fmt::format("{} ({}): {}sparsity {}", layer.name, layer.type, target.pool ? "of a total " : "",
                     target.sparsity);
}

std::string describe(const compression::QuantizedLayer& quantized) {
  std::string text = fmt::format("{} ({}):", quantized.layer.name, quantized.layer.type);
  const auto& target = quantized.target;
  if (target.weight) text += fmt::format(" weight {} bits", target.weight->bits);
  if (target.input) text += fmt::format(" input {} bits", target.input->bits);
  if (target.output) text += fmt::format(" output {} bits", target.output->bits);
  return text;
}

}  // namespace

PlanInput plan_input(const proto::CompressionConfig& config, const std::vector<compression::Layer>& layers,
                     const std::vector<compression::Layer>& modules) {
  const auto sparsifying_epochs = config.sparsifying ? config.sparsifying->epochs : std::nullopt;
  return {layers, modules, config.config_list, config.finetuning.epochs, sparsifying_epochs};
}

Result<Plan> make_plan(const Json& parameters, const PlanInput& input) {
  const auto named = find_named_algorithm(parameters);
  if (!named) return tl::unexpected(named.error());
  const auto algorithm = find_algorithm(named->name);
  if (!algorithm) return tl::unexpected(algorithm.error());
  auto plan = Planner(*algorithm, *named, input).run();
  if (!plan) return fail(fmt::format("algorithm {}: {}", named->name, plan.error().message));
  return plan;
}

std::vector<std::string> describe_layers(const Plan& plan) {
  std::vector<std::string> lines;
  std::visit(
      [&lines](const auto& how) {
        for (const auto& layer : how.layers) lines.push_back(describe(layer));
      },
      plan.how);
  return lines;
}

}  // namespace lathe::trial

#include <lathe/compression/pruning.hpp>

#include <algorithm>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/speedup.hpp>

#include "pruning/filters.hpp"
#include "pruning/gathering.hpp"
#include "pruning/mask_groups.hpp"

namespace lathe::compression {
namespace {

void keep_unmasked(const at::Tensor& tensor, const at::Tensor& mask) {
  if (tensor.defined() && mask.defined()) tensor.detach().mul_(mask.to(tensor.device()));
}

/// Only the graph tells the groups of a transposed convolution without bias. Where the graph cannot be had, such a
/// layer is pruned by columns of its weight, each of which is one filter of every group.
std::map<std::string, std::int64_t> groups_of_transposed(const torch::jit::Module& model,
                                                         const std::vector<SelectedLayer>& layers) {
  std::map<std::string, std::int64_t> groups;
  const auto unclear = [](const SelectedLayer& selected) {
    return is_transposed_convolution(selected.layer.type) && !selected.layer.bias.defined();
  };
  if (std::none_of(layers.begin(), layers.end(), unclear)) return groups;
  const auto flat = FlatGraph::of(model);
  if (!flat) return groups;
  for (const LayerOp& op : flat->layer_ops())
    if (op.transposed) groups[op.layer] = op.groups;
  return groups;
}

}  // namespace

struct Pruning::Source {
  Network network;
  const Dataset& data;
  TrainingOptions training;
};

void apply_masks(const torch::jit::Module& model, const Masks& masks) {
  for (const Layer& layer : layers_of(model)) {
    const auto found = masks.find(layer.name);
    if (found == masks.end()) continue;
    keep_unmasked(layer.weight, found->second.weight);
    keep_unmasked(layer.bias, found->second.bias);
  }
}

Pruning::Pruning(std::unique_ptr<Pruner> pruner, std::vector<SelectedLayer> layers, std::optional<AgpSchedule> schedule)
    : pruner_(std::move(pruner)), layers_(std::move(layers)) {
  if (schedule) schedule_ = *schedule;
  groups_ = std::make_unique<MaskGroups>(*pruner_, layers_);
  for (const SelectedLayer& selected : layers_) masked_layers_.push_back(selected.layer);
}

Pruning::Pruning(const PrunerOptions& options, std::vector<SelectedLayer> layers, std::optional<Schedule> schedule,
                 std::map<std::string, std::int64_t> groups)
    : options_(options),
      groups_of_transposed_(std::move(groups)),
      statistics_(std::make_shared<FilterStatistics>()),
      pruner_(Pruner::create(options, {statistics_, groups_of_transposed_})),
      layers_(std::move(layers)),
      schedule_(std::move(schedule)) {
  for (const SelectedLayer& selected : layers_) masked_layers_.push_back(selected.layer);
}

Pruning::~Pruning() = default;

Result<std::unique_ptr<Pruning>> Pruning::create(const PrunerOptions& options, std::vector<SelectedLayer> layers,
                                                 std::optional<Schedule> schedule, const Network& network,
                                                 const at::Tensor& example) {
  if (auto sound = check_options(options); !sound) return tl::unexpected(sound.error());
  if (schedule) {
    if (auto sound = check_schedule(*schedule); !sound) return tl::unexpected(sound.error());
  }
  settle_pools(options, layers);
  auto transposed = groups_of_transposed(network.model(), layers);
  std::unique_ptr<Pruning> pruning(new Pruning(options, std::move(layers), std::move(schedule), std::move(transposed)));
  if (auto fit = check_layers(*pruning->pruner_, pruning->layers_); !fit) return tl::unexpected(fit.error());
  if (auto some = check_reachable(*pruning->pruner_, pruning->layers_); !some) return tl::unexpected(some.error());
  auto groups = MaskGroups::create(options, *pruning->pruner_, pruning->layers_, network.model(), example);
  if (!groups) return tl::unexpected(groups.error());
  pruning->groups_ = std::make_unique<MaskGroups>(std::move(*groups));
  const auto* lottery = pruning->schedule_ ? std::get_if<LotterySchedule>(&*pruning->schedule_) : nullptr;
  if (lottery != nullptr && lottery->reset_weights) pruning->rewound_ = network.model();
  return pruning;
}

void Pruning::extend_over(torch::jit::Module model, at::Tensor example) {
  if (!structured()) return;
  masked_layers_ = layers_of(model);
  model_ = std::move(model);
  example_ = std::move(example);
}

Result<void> Pruning::sparsify(const Network& network, const Dataset& data, const TrainingOptions& options,
                               const TrainingHooks& hooks) {
  if (options_.metric == PruningMetric::Slim) {
    GammaPenalty penalty(layers_, options_.scale);
    TrainingOptions sparsifying = options;
    sparsifying.epochs = options_.sparsifying_training_epochs;
    penalised_ = schedule_.has_value();
    return train(network, data, sparsifying, &penalty, hooks);
  }
  if (!needs_statistics(options_.metric)) return {};
  source_ = std::make_unique<Source>(Source{network, data, options});
  return gather();
}

Result<void> Pruning::gather() {
  if (!source_) {
    return fail(
        fmt::format("{} prunes by what running the model tells, and that was not gathered", name_of(options_.metric)));
  }
  auto gathered =
      gather_statistics(options_, layers_, groups_of_transposed_, source_->network, source_->data, source_->training);
  if (!gathered) return tl::unexpected(gathered.error());
  *statistics_ = std::move(*gathered);
  statistics_are_fresh_ = true;
  return {};
}

bool Pruning::restarts_optimizer(std::int64_t epoch) const {
  const auto* lottery = schedule_ ? std::get_if<LotterySchedule>(&*schedule_) : nullptr;
  return lottery != nullptr && lottery->rewinds(epoch);
}

Result<void> Pruning::update_epoch(std::int64_t epoch) {
  if (auto refreshed = refresh(sparsities_at(epoch)); !refreshed) return refreshed;
  if (rewound_ && epoch == 0) remember_tensors(*rewound_);
  if (restarts_optimizer(epoch)) rewind_tensors();
  step();
  statistics_are_fresh_ = false;  // training begins
  return {};
}

Result<void> Pruning::finish() {
  if (auto refreshed = refresh(final_sparsities()); !refreshed) return refreshed;
  step();
  return {};
}

Result<void> Pruning::refresh(const std::vector<double>& sparsities) {
  if (penalised_) penalised_ = sparsities != final_sparsities();
  if (!groups_->due(sparsities)) return {};
  const bool prunes = std::any_of(sparsities.begin(), sparsities.end(), [](double sparsity) { return sparsity > 0; });
  if (prunes && needs_statistics(options_.metric) && !statistics_are_fresh_) {
    if (auto gathered = gather(); !gathered) return gathered;
  }
  if (auto made = groups_->refresh(sparsities, masks_); !made) return made;
  if (!model_) return {};
  // A model that cannot be traced here is refused by speed_up, with the reason.
  if (auto extended = extend_masks(*model_, masks_, example_)) masks_ = std::move(*extended);
  return {};
}

std::vector<double> Pruning::sparsities_at(std::int64_t epoch) const {
  if (!schedule_) return final_sparsities();
  std::vector<double> sparsities;
  for (const SelectedLayer& selected : layers_)
    sparsities.push_back(scheduled_sparsity(*schedule_, selected.target, epoch));
  return sparsities;
}

std::vector<double> Pruning::final_sparsities() const {
  std::vector<double> sparsities;
  for (const SelectedLayer& selected : layers_) sparsities.push_back(selected.target.sparsity);
  return sparsities;
}

bool Pruning::is_settled(std::int64_t epoch) const {
  return sparsities_at(epoch) == final_sparsities();
}

std::int64_t Pruning::epochs_needed() const {
  std::int64_t epochs = 0;
  if (!schedule_) return epochs;
  for (const SelectedLayer& selected : layers_)
    epochs = std::max(epochs, compression::epochs_needed(*schedule_, selected.target));
  return epochs;
}

void Pruning::after_backward() {
  if (penalised_) penalise_gammas(layers_, options_.scale);
  for (const Layer& layer : masked_layers_) {
    const auto found = masks_.find(layer.name);
    if (found == masks_.end()) continue;
    if (layer.weight.defined()) keep_unmasked(layer.weight.grad(), found->second.weight);
    if (layer.bias.defined()) keep_unmasked(layer.bias.grad(), found->second.bias);
  }
}

void Pruning::step() {
  for (const Layer& layer : masked_layers_) {
    const auto found = masks_.find(layer.name);
    if (found == masks_.end()) continue;
    keep_unmasked(layer.weight, found->second.weight);
    keep_unmasked(layer.bias, found->second.bias);
  }
}

void Pruning::remember_tensors(const torch::jit::Module& model) {
  initial_.clear();
  for (const at::Tensor& parameter : model.parameters()) initial_.emplace_back(parameter, parameter.detach().clone());
  for (const at::Tensor& buffer : model.buffers()) initial_.emplace_back(buffer, buffer.detach().clone());
}

void Pruning::rewind_tensors() {
  const c10::NoGradGuard no_grad;
  for (auto& [tensor, first] : initial_) tensor.copy_(first);
}

}  // namespace lathe::compression

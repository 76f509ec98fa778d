#include <lathe/compression/pruning.hpp>

#include <algorithm>

#include <ATen/ATen.h>

#include <lathe/compression/speedup.hpp>

namespace lathe::compression {
namespace {

void keep_unmasked(const at::Tensor& tensor, const at::Tensor& mask) {
  if (tensor.defined() && mask.defined()) tensor.detach().mul_(mask);
}

}  // namespace

void apply_masks(const torch::jit::Module& model, const Masks& masks) {
  for (const Layer& layer : layers_of(model)) {
    const auto found = masks.find(layer.name);
    if (found == masks.end()) continue;
    keep_unmasked(layer.weight, found->second.weight);
    keep_unmasked(layer.bias, found->second.bias);
  }
}

Pruning::Pruning(std::unique_ptr<Pruner> pruner, std::vector<SelectedLayer> layers, std::optional<AgpSchedule> schedule)
    : pruner_(std::move(pruner)), layers_(std::move(layers)), schedule_(schedule) {
  for (const SelectedLayer& selected : layers_) masked_layers_.push_back(selected.layer);
}

void Pruning::extend_over(torch::jit::Module model, at::Tensor example) {
  if (!structured()) return;
  masked_layers_ = layers_of(model);
  model_ = std::move(model);
  example_ = std::move(example);
}

Result<void> Pruning::update_epoch(std::int64_t epoch) {
  for (const SelectedLayer& selected : layers_) {
    prune(selected, schedule_ ? schedule_of(selected).sparsity(epoch) : selected.target.sparsity);
  }
  extend();
  step();
  return {};
}

Result<void> Pruning::finish() {
  for (const SelectedLayer& selected : layers_) prune(selected, selected.target.sparsity);
  extend();
  step();
  return {};
}

std::int64_t Pruning::epochs_needed() const {
  std::int64_t epochs = 0;
  if (!schedule_) return epochs;
  for (const SelectedLayer& selected : layers_) {
    const AgpSchedule schedule = schedule_of(selected);
    const std::int64_t to_start = schedule.start_epoch > 0 ? schedule.start_epoch + 1 : 0;
    epochs = std::max({epochs, schedule.end_epoch, to_start});
  }
  return epochs;
}

void Pruning::after_backward() {
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

void Pruning::prune(const SelectedLayer& selected, double sparsity) {
  const auto [reached, is_new] = reached_.try_emplace(selected.layer.name, sparsity);
  if (!is_new && reached->second == sparsity) return;
  reached->second = sparsity;
  const auto found = masks_.find(selected.layer.name);
  const Mask* current = found == masks_.end() ? nullptr : &found->second;
  masks_.insert_or_assign(selected.layer.name, pruner_->mask(selected.layer, sparsity, current));
}

void Pruning::extend() {
  if (!model_) return;
  // A model that cannot be traced here is refused by speed_up, with the reason.
  if (auto extended = extend_masks(*model_, masks_, example_)) masks_ = std::move(*extended);
}

AgpSchedule Pruning::schedule_of(const SelectedLayer& selected) const {
  return agp_schedule(selected.target, schedule_.value_or(AgpSchedule{}));
}

}  // namespace lathe::compression

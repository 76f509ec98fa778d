#include <lathe/compression/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include <lathe/compression/device.hpp>
#include <lathe/compression/evaluate.hpp>

#include "training/batches.hpp"
#include "training/best_epoch.hpp"
#include "training/eval_mode.hpp"
#include "training/optimizer.hpp"
#include "training/option_check.hpp"

namespace lathe::compression {
namespace {

Result<std::vector<at::Tensor>> trainable_parameters(const torch::jit::Module& model) {
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& parameter : model.parameters()) {
    if (parameter.requires_grad()) parameters.push_back(parameter);
  }
  if (parameters.empty()) return fail("the model has no parameter that requires a gradient, so it cannot be trained");
  return parameters;
}

/// A different shuffle for each epoch, the same for each run.
std::uint64_t epoch_seed(std::uint64_t seed, std::int64_t epoch) {
  constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15;
  return seed + golden_ratio * (static_cast<std::uint64_t>(epoch) + 1);
}

std::vector<std::int64_t> shuffled_order(std::int64_t records, std::uint64_t seed) {
  const at::Tensor order = shuffled_indices(records, seed);
  const auto* index = order.data_ptr<std::int64_t>();
  return {index, index + records};
}

void freeze_batch_norms(const torch::jit::Module& model) {
  for (torch::jit::Module module : model.modules()) {
    const std::string type = module.type()->name() ? module.type()->name()->name() : std::string();
    if (type.find("BatchNorm") != std::string::npos && module.hasattr("training")) module.setattr("training", false);
  }
}

/// One training run: what all of its steps share.
class Training {
 public:
  Training(const Network& network, const Dataset& data, const TrainingOptions& options, Compressor* compressor,
           const TrainingHooks& hooks)
      : network_(network),
        model_(network.model()),
        data_(data),
        options_(options),
        compressor_(compressor),
        hooks_(hooks),
        best_(options.early_stop, options.restore_best) {}

  Result<void> run() {
    for (; progress_.epoch < options_.epochs && !summary_.stopped_early; ++progress_.epoch) {
      if (auto begun = begin_epoch(); !begun) return begun;
      if (auto done = run_epoch(); !done) return done;
      if (auto ended = end_epoch(); !ended) return ended;
    }
    if (auto restored = restore_best(); !restored) return restored;
    if (hooks_.after_training) hooks_.after_training(summary_);
    return {};
  }

 private:
  Result<void> begin_epoch() {
    const bool restarts = compressor_ != nullptr && compressor_->restarts_optimizer(progress_.epoch);
    if (progress_.epoch == 0 || restarts) {
      if (auto begun = begin_phase(); !begun) return begun;
    }
    if (compressor_ != nullptr) {
      if (auto updated = compressor_->update_epoch(progress_.epoch); !updated) return updated;
    }
    model_.train();
    if (options_.freeze_batch_norm) freeze_batch_norms(model_);
    return {};
  }

  /// A new optimizer and schedule, up to the next restart or the end.
  Result<void> begin_phase() {
    auto parameters = trainable_parameters(model_);
    if (!parameters) return tl::unexpected(parameters.error());
    parameters_ = std::move(*parameters);
    if (compressor_ != nullptr) {
      for (const at::Tensor& extra : compressor_->extra_parameters()) parameters_.push_back(extra);
    }
    optimizer_ = make_optimizer(options_.optimizer, parameters_);
    best_.reset();
    phase_begin_ = progress_.epoch;
    phase_end_ = progress_.epoch + 1;
    while (phase_end_ < options_.epochs && !(compressor_ != nullptr && compressor_->restarts_optimizer(phase_end_))) {
      ++phase_end_;
    }
    return {};
  }

  Result<void> run_epoch() {
    Batches batches(data_, shuffled_order(data_.size(), epoch_seed(options_.seed, progress_.epoch)),
                    {options_.batch_size, true, AugmentationDraw{options_.seed, progress_.epoch}, options_.prefetch});
    progress_.epochs = options_.epochs;
    progress_.records = data_.size();
    progress_.records_done = 0;
    double loss_sum = 0;
    for (std::int64_t done = 0; auto batch = batches.next(); ++done) {
      if (!*batch) return tl::unexpected(batch->error());
      set_rate(done, batches.count());
      const auto loss = step(**batch);
      if (!loss) return tl::unexpected(loss.error());
      const std::int64_t size = (*batch)->inputs.size(0);
      progress_.records_done += size;
      loss_sum += *loss * static_cast<double>(size);
      progress_.loss = loss_sum / static_cast<double>(progress_.records_done);
      if (hooks_.after_batch) hooks_.after_batch(progress_);
    }
    return check_weights();
  }

  void set_rate(std::int64_t batch, std::int64_t batches) {
    const std::int64_t epoch = progress_.epoch - phase_begin_;
    progress_.learning_rate = learning_rate_at(options_.schedule, options_.optimizer.learning_rate,
                                               {epoch, phase_end_ - phase_begin_, epoch * batches + batch, batches});
    set_learning_rate(*optimizer_, progress_.learning_rate);
  }

  /// Forward, backward, and an optimizer's step that leaves pruned weights at zero; returns the batch's mean loss.
  Result<double> step(const Batch& batch) {
    optimizer_->zero_grad();
    const auto loss = loss_of_batch(batch);
    if (!loss) return tl::unexpected(loss.error());
    const double value = loss->item<double>();
    if (!std::isfinite(value)) return diverged(fmt::format("the loss is {}", value));
    loss->backward();
    if (compressor_ != nullptr) compressor_->after_backward();
    if (options_.clip_value) clip_values(parameters_, *options_.clip_value);
    if (options_.clip_norm) clip_norm(parameters_, *options_.clip_norm);
    optimizer_->step();
    if (compressor_ != nullptr) compressor_->step();
    return value;
  }

  Result<at::Tensor> loss_of_batch(const Batch& batch) {
    const auto outputs = run_model(network_, batch, options_.loss.kind);
    if (!outputs) return outputs;
    const at::Tensor loss = loss_of(*outputs, batch.targets.to(outputs->device()), options_.loss);
    if (!options_.distillation) return loss;
    const auto taught = teach(batch);
    if (!taught) return fail("the teacher of the distillation: " + taught.error().message);
    if (taught->sizes() != outputs->sizes()) {
      return fail("the teacher of the distillation has other outputs than the model");
    }
    const auto& [teacher, temperature, alpha] = *options_.distillation;
    return alpha * distillation_loss(*outputs, *taught, temperature) + (1 - alpha) * loss;
  }

  [[nodiscard]] Result<at::Tensor> teach(const Batch& batch) const {
    const c10::NoGradGuard no_grad;
    return run_model(options_.distillation->teacher, batch, options_.loss.kind);
  }

  [[nodiscard]] tl::unexpected<Error> diverged(const std::string& what) const {
    return fail(fmt::format("training diverged in epoch {}: {} (learning rate {})", progress_.epoch + 1, what,
                            progress_.learning_rate));
  }

  /// The last step of an epoch may have spoilt them without any loss telling of it.
  [[nodiscard]] Result<void> check_weights() const {
    for (const at::Tensor& parameter : parameters_) {
      if (!std::isfinite(parameter.detach().sum().item<double>()) &&
          !at::isfinite(parameter.detach()).all().item<bool>()) {
        return diverged("a weight is not finite");
      }
    }
    return {};
  }

  /// The compressor is finished before the last epoch is judged and told, so that what is told is the final state.
  Result<void> end_epoch() {
    summary_.epochs = progress_.epoch + 1;
    const bool is_last = summary_.epochs == options_.epochs;
    if (is_last) {
      if (auto finished = finish(); !finished) return finished;
    }
    if (hooks_.judge) {
      if (auto judged = judge(); !judged) return judged;
    }
    if (hooks_.after_epoch) {
      if (auto told = hooks_.after_epoch(progress_); !told) return told;
    }
    if (is_last || !best_.is_worn_out()) return {};
    summary_.stopped_early = true;
    return finish();
  }

  Result<void> judge() {
    const auto value = hooks_.judge(progress_);
    if (!value) return tl::unexpected(value.error());
    if (!std::isfinite(*value)) {
      return fail(fmt::format("epoch {} was judged to be worth {}; expected a finite number", summary_.epochs, *value));
    }
    const bool is_last = summary_.epochs == options_.epochs;
    if (!is_last && compressor_ != nullptr && !compressor_->is_settled(progress_.epoch)) return {};
    best_.consider(progress_.epoch, *value, {state(), compressor_});
    return {};
  }

  /// All that training changes.
  [[nodiscard]] std::vector<at::Tensor> state() const {
    std::vector<at::Tensor> tensors = parameters_;
    for (const at::Tensor& buffer : model_.buffers()) tensors.push_back(buffer);
    return tensors;
  }

  Result<void> finish() {
    if (compressor_ == nullptr) return {};
    return compressor_->finish();
  }

  Result<void> restore_best() {
    summary_.best_epoch = best_.epoch();
    summary_.best_value = best_.value();
    const std::int64_t last = summary_.epochs - 1;
    if (!options_.restore_best || best_.epoch().value_or(last) == last) return {};
    best_.restore();
    summary_.restored = true;
    return finish();
  }

  const Network& network_;
  torch::jit::Module model_;
  const Dataset& data_;
  const TrainingOptions& options_;
  Compressor* compressor_;
  const TrainingHooks& hooks_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::vector<at::Tensor> parameters_;  ///< in the optimizer
  std::int64_t phase_begin_ = 0;        ///< first epoch of the optimizer
  std::int64_t phase_end_ = 0;
  TrainingProgress progress_;
  TrainingSummary summary_;
  BestEpoch best_;
};

/// On the device, with the teacher beside the model.
Result<void> train_there(const Network& network, const Dataset& data, const TrainingOptions& options,
                         Compressor* compressor, const TrainingHooks& hooks) {
  const c10::Device device = options.device.value_or(device_of(network.model()));
  const OnDevice placed(network.model(), device);
  std::optional<OnDevice> placed_teacher;
  std::optional<EvalMode> teacher_mode;
  if (options.distillation) {
    placed_teacher.emplace(options.distillation->teacher, device);
    teacher_mode.emplace(options.distillation->teacher);
  }
  return Training(network, data, options, compressor, hooks).run();
}

}  // namespace

Result<void> train(const Network& network, const Dataset& data, const TrainingOptions& options, Compressor* compressor,
                   const TrainingHooks& hooks) {
  if (options.epochs == 0) return compressor == nullptr ? Result<void>() : compressor->finish();
  if (auto sound = check_options(options, hooks); !sound) return sound;
  if (auto parameters = trainable_parameters(network.model()); !parameters) return tl::unexpected(parameters.error());
  torch::manual_seed(options.seed);
  try {
    return train_there(network, data, options, compressor, hooks);
  } catch (const c10::Error& thrown) {
    return fail(fmt::format("training failed: {}", thrown.what_without_backtrace()));
  }
}

}  // namespace lathe::compression

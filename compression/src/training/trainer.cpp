#include <lathe/compression/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/utils.h>

#include <lathe/compression/evaluate.hpp>

namespace lathe::compression {
namespace {

using OptimizerPointer = std::unique_ptr<torch::optim::Optimizer>;

OptimizerPointer make_optimizer(const OptimizerOptions& options, const std::vector<at::Tensor>& parameters) {
  const auto betas = std::make_tuple(options.beta1, options.beta2);
  switch (options.kind) {
    case Optimizer::Adam:
      return std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(options.learning_rate)
                                                                  .betas(betas)
                                                                  .eps(options.eps)
                                                                  .weight_decay(options.weight_decay));
    case Optimizer::AdamW:
      return std::make_unique<torch::optim::AdamW>(parameters, torch::optim::AdamWOptions(options.learning_rate)
                                                                   .betas(betas)
                                                                   .eps(options.eps)
                                                                   .weight_decay(options.weight_decay));
    case Optimizer::Sgd:
      break;
  }
  return std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(options.learning_rate)
                                                             .momentum(options.momentum)
                                                             .dampening(options.dampening)
                                                             .nesterov(options.nesterov)
                                                             .weight_decay(options.weight_decay));
}

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

/// One training run: what all of its steps share.
class Training {
 public:
  Training(const Network& network, const Dataset& data, const TrainingOptions& options, Compressor* compressor,
           const TrainingHooks& hooks, OptimizerPointer optimizer)
      : network_(network),
        model_(network.model()),
        data_(data),
        options_(options),
        compressor_(compressor),
        hooks_(hooks),
        optimizer_(std::move(optimizer)) {}

  Result<void> run() {
    for (progress_.epoch = 0; progress_.epoch < options_.epochs; ++progress_.epoch) {
      if (auto updated = update_epoch(); !updated) return updated;
      model_.train();
      if (auto done = run_epoch(); !done) return done;
      if (auto finished = finish_last_epoch(); !finished) return finished;
      if (!hooks_.after_epoch) continue;
      if (auto told = hooks_.after_epoch(progress_); !told) return told;
    }
    return {};
  }

 private:
  Result<void> update_epoch() {
    if (compressor_ == nullptr) return {};
    return compressor_->update_epoch(progress_.epoch);
  }

  /// Before the epoch's end is told, so that what is told is the final state.
  Result<void> finish_last_epoch() {
    if (compressor_ == nullptr || progress_.epoch + 1 < options_.epochs) return {};
    return compressor_->finish();
  }

  Result<void> run_epoch() {
    const at::Tensor order = shuffled_indices(data_.size(), epoch_seed(options_.seed, progress_.epoch));
    progress_.epochs = options_.epochs;
    progress_.records = data_.size();
    progress_.records_done = 0;
    double loss_sum = 0;
    while (progress_.records_done < progress_.records) {
      const std::int64_t size = next_batch_size();
      const auto loss = step(data_.pick(order.narrow(0, progress_.records_done, size)));
      if (!loss) return tl::unexpected(loss.error());
      progress_.records_done += size;
      loss_sum += *loss * static_cast<double>(size);
      progress_.loss = loss_sum / static_cast<double>(progress_.records_done);
      if (hooks_.after_batch) hooks_.after_batch(progress_);
    }
    return {};
  }

  [[nodiscard]] std::int64_t next_batch_size() const {
    const std::int64_t left = progress_.records - progress_.records_done;
    return left <= options_.batch_size + 1 ? left : options_.batch_size;
  }

  /// Forward, backward, and an optimizer's step that leaves pruned weights at zero; returns the batch's mean loss.
  Result<double> step(const Batch& batch) {
    optimizer_->zero_grad();
    auto outputs = run_classifier(network_, batch);
    if (!outputs) return tl::unexpected(outputs.error());
    const at::Tensor loss = classification_loss(*outputs, batch.targets, output_kind(*outputs));
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      return fail(fmt::format("training diverged in epoch {}: the loss is {} (learning rate {})", progress_.epoch + 1,
                              value, options_.optimizer.learning_rate));
    }
    loss.backward();
    if (compressor_ != nullptr) compressor_->after_backward();
    optimizer_->step();
    if (compressor_ != nullptr) compressor_->step();
    return value;
  }

  const Network& network_;
  torch::jit::Module model_;
  const Dataset& data_;
  const TrainingOptions& options_;
  Compressor* compressor_;
  const TrainingHooks& hooks_;
  OptimizerPointer optimizer_;
  TrainingProgress progress_;
};

}  // namespace

Result<void> train(const Network& network, const Dataset& data, const TrainingOptions& options, Compressor* compressor,
                   const TrainingHooks& hooks) {
  if (options.epochs == 0) return compressor == nullptr ? Result<void>() : compressor->finish();
  const OptimizerOptions& optimizer = options.optimizer;
  if (optimizer.nesterov && (optimizer.momentum <= 0 || optimizer.dampening != 0)) {
    return fail("nesterov needs a momentum above 0 and a dampening of 0");
  }
  auto parameters = trainable_parameters(network.model());
  if (!parameters) return tl::unexpected(parameters.error());
  if (compressor != nullptr) {
    for (const at::Tensor& extra : compressor->extra_parameters()) parameters->push_back(extra);
  }
  torch::manual_seed(options.seed);
  try {
    return Training(network, data, options, compressor, hooks, make_optimizer(optimizer, *parameters)).run();
  } catch (const c10::Error& thrown) {
    return fail(fmt::format("training failed: {}", thrown.what_without_backtrace()));
  }
}

}  // namespace lathe::compression

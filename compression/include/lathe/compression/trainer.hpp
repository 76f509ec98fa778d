// Training of a classifier: initial training, and fine-tuning while a pruning is in force.
#pragma once

#include <cstdint>
#include <functional>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

enum class Optimizer { Sgd, Adam, AdamW };

struct OptimizerOptions {
  Optimizer kind = Optimizer::Sgd;
  double learning_rate = 0.01;
  double weight_decay = 0;  ///< AdamW decouples it from the gradient
  // SGD only
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;  ///< needs momentum > 0 and no dampening
  // Adam and AdamW only
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
};

struct TrainingOptions {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 64;
  std::uint64_t seed = 0;  ///< of the shuffles and of dropout
  OptimizerOptions optimizer;
};

struct TrainingProgress {
  std::int64_t epoch = 0;  ///< 0-based
  std::int64_t epochs = 0;
  std::int64_t records_done = 0;  ///< of this epoch
  std::int64_t records = 0;
  double loss = 0;  ///< mean of this epoch so far
};

/// What a caller wants to know or do while training; any may be left empty. An error ends the training.
struct TrainingHooks {
  std::function<void(const TrainingProgress&)> after_batch;
  std::function<Result<void>(const TrainingProgress&)> after_epoch;
};

/// Trains the network's model in place; the same seed, data and thread count give the same weights. `compressor`, if
/// there is one, takes part; its schedule does not extend `epochs`, and it is finished when the last epoch is done.
/// A batch of one record is joined to the one before it, since batch normalisation cannot train on one.
/// Errors: a loss that is not finite (with epoch and learning rate), targets beyond the model's outputs, a model that
/// fails on the data, no parameter that requires a gradient, optimizer options that contradict each other.
[[nodiscard]] Result<void> train(const Network& network, const Dataset& data, const TrainingOptions& options,
                                 Compressor* compressor, const TrainingHooks& hooks);

}  // namespace lathe::compression

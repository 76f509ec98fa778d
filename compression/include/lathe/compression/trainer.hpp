// Training: initial training, and fine-tuning while a compression is in force.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <c10/core/Device.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/dataset.hpp>
#include <lathe/compression/learning_rate.hpp>
#include <lathe/compression/loss.hpp>
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

/// Learning from another model's outputs too: loss = alpha * distillation_loss + (1 - alpha) * loss of the targets.
struct Distillation {
  torch::jit::Module teacher;  ///< a model of its own; run in eval mode, without gradients, on the same inputs
  double temperature = 4;      ///< > 0
  double alpha = 0.5;          ///< 0 to 1
};

/// Training ends when `patience` epochs in a row were not better by more than `min_delta` than the best before them.
struct EarlyStop {
  std::int64_t patience = 1;  ///< > 0
  double min_delta = 0;       ///< >= 0, in the unit of the judged value
};

struct TrainingOptions {
  std::int64_t epochs = 1;
  std::int64_t batch_size = 64;
  std::uint64_t seed = 0;  ///< of the shuffles, of random changes of the data, and of dropout
  OptimizerOptions optimizer;
  LearningRateSchedule schedule;
  std::optional<double> clip_norm;   ///< largest L2 norm of all gradients together, > 0
  std::optional<double> clip_value;  ///< largest magnitude of each gradient, > 0; applied before clip_norm
  LossOptions loss;
  std::optional<Distillation> distillation;  ///< CrossEntropy and Nll only
  std::optional<EarlyStop> early_stop;       ///< needs TrainingHooks::judge
  bool restore_best = false;                 ///< ends with the weights of the best epoch; needs TrainingHooks::judge
  bool freeze_batch_norm = false;            ///< batch norms stay in eval mode, and keep their statistics
  std::optional<c10::Device> device;         ///< where to train; the model returns. None: where the model is
  /// Batches that a thread of its own prepares ahead, which changes no result; 0: no thread. None: 2 where records are
  /// decoded or randomly changed, else 0. The thread lives in train() only.
  std::optional<std::int64_t> prefetch;
};

struct TrainingProgress {
  std::int64_t epoch = 0;  ///< 0-based
  std::int64_t epochs = 0;
  std::int64_t records_done = 0;  ///< of this epoch
  std::int64_t records = 0;
  double loss = 0;           ///< mean of this epoch so far
  double learning_rate = 0;  ///< of the last batch
};

/// How a training went.
struct TrainingSummary {
  std::int64_t epochs = 0;                 ///< that were run
  bool stopped_early = false;              ///< before all that were asked for
  std::optional<std::int64_t> best_epoch;  ///< 0-based; none: nothing was judged, or no epoch was a candidate
  double best_value = 0;                   ///< of the judge in that epoch
  bool restored = false;                   ///< the model has that epoch's weights rather than the last one's
};

/// What a caller wants to know or do while training; any may be left empty. An error ends the training.
struct TrainingHooks {
  std::function<void(const TrainingProgress&)> after_batch;
  /// How good the model is after an epoch, larger is better (a loss with its sign changed). Called before after_epoch.
  /// May run the model in any mode.
  std::function<Result<double>(const TrainingProgress&)> judge;
  std::function<Result<void>(const TrainingProgress&)> after_epoch;
  std::function<void(const TrainingSummary&)> after_training;  ///< unless it ended with an error
};

/// Trains the network's model in place; on the CPU the same seed, data and thread count give the same weights.
/// `compressor`, if there is one, takes part; its schedule does not extend `epochs`, and it is finished when the last
/// epoch is done. Epochs before it is settled are no candidates for the best one and do not count for patience; when it
/// restarts the optimizer, the learning-rate schedule begins anew and spans the epochs up to the next restart.
/// A batch of one record is joined to the one before it, since batch normalisation cannot train on one.
/// Errors: a loss or weights that are not finite (with epoch and learning rate), targets that do not fit the model's
/// outputs, a model that fails on the data, data that cannot be read, no parameter that requires a gradient, options
/// that are out of range or contradict each other.
[[nodiscard]] Result<void> train(const Network& network, const Dataset& data, const TrainingOptions& options,
                                 Compressor* compressor, const TrainingHooks& hooks);

}  // namespace lathe::compression

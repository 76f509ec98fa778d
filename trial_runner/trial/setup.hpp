// From the `compression:` settings to the compression library's own types: data, training options, example batch.
#pragma once

#include <cstdint>
#include <filesystem>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/speedup.hpp>
#include <lathe/compression/trainer.hpp>
#include <lathe/proto/compression_config.hpp>

#include "result.hpp"

namespace lathe::trial {

/// Everything a trial starts from.
struct Setup {
  proto::CompressionConfig config;
  torch::jit::Module model;  ///< the original, never changed
  compression::Dataset train;
  compression::Dataset test;
};

[[nodiscard]] Result<proto::CompressionConfig> read_compression_config(const std::filesystem::path& file);

enum class Part { Train, Test };

/// One part of the data: cut as `data.crop` and `data.augment` say; the train part with its random changes.
[[nodiscard]] Result<compression::Dataset> load_data(const proto::CompressionConfig& config, Part part);

/// Loads model and data, and checks that records have the shape that `inputShape` announces, that both parts have the
/// same classes where these have names, and that there is the device.
[[nodiscard]] Result<Setup> load_setup(const proto::CompressionConfig& config);

/// Of the fine-tuning, but for its teacher. Errors name optimizerArgs that the optimizer has no use for.
[[nodiscard]] Result<compression::TrainingOptions> training_options(const proto::CompressionConfig& config);
/// Complete: with distillation, a copy of the original model is the teacher.
[[nodiscard]] Result<compression::TrainingOptions> training_options(const Setup& setup);
/// Of the training phases inside an algorithm; `algorithm_epochs` is how many it has when the config does not say.
[[nodiscard]] Result<compression::TrainingOptions> sparsifying_options(const proto::CompressionConfig& config,
                                                                       std::int64_t algorithm_epochs);

/// How what was pruned is cut out.
[[nodiscard]] compression::SpeedupOptions speedup_of(const proto::CompressionConfig& config);

/// The loss that is trained on and that the metric `loss` is.
[[nodiscard]] compression::LossKind loss_of(const proto::CompressionConfig& config);

/// What early stop and best epoch go by: the evaluation metric, larger is better (a loss with its sign changed).
[[nodiscard]] double judged_value(const compression::Evaluation& quality, const proto::CompressionConfig& config);

/// The first records of the test part, at most `count`: real inputs to run and to time models on.
[[nodiscard]] at::Tensor example_inputs(const compression::Dataset& data, std::int64_t count);

}  // namespace lathe::trial

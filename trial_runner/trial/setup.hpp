// From the `compression:` settings to the compression library's own types: data, training options, example batch.
#pragma once

#include <filesystem>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
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

[[nodiscard]] Result<compression::Dataset> load_data(const proto::DataConfig& data, const proto::DataPart& part);

/// Loads model and data, and checks that records have the shape that `inputShape` announces.
[[nodiscard]] Result<Setup> load_setup(const proto::CompressionConfig& config);

/// Errors name optimizerArgs that the optimizer has no use for.
[[nodiscard]] Result<compression::TrainingOptions> training_options(const proto::CompressionConfig& config);

/// The first records of the test part, at most `count`: real inputs to run and to time models on.
[[nodiscard]] at::Tensor example_inputs(const compression::Dataset& data, std::int64_t count);

}  // namespace lathe::trial

// Trains an example's network on a pair of IDX data sets, tells how it goes, and saves it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>

#include "digits/digit_data.hpp"

namespace lathe::examples {

/// So many epochs at one learning rate.
struct Phase {
  std::int64_t epochs = 1;
  double learning_rate = 0.01;
};

/// SGD with momentum 0.9, batches of 64.
struct Recipe {
  std::vector<Phase> phases;
  double weight_decay = 5e-4;
  std::uint64_t seed = 0;  ///< of the shuffles
};

/// Prints one line an epoch, and saves `model` in eval mode. Errors are those of loading, training and saving.
[[nodiscard]] compression::Result<void> train_and_save(torch::jit::Module model, const TrainAndTest& data,
                                                       const Recipe& recipe, const std::filesystem::path& file);

}  // namespace lathe::examples

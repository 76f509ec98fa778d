#include "classifier/training.hpp"

#include <iostream>

#include <fmt/format.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/trainer.hpp>

namespace lathe::examples {
namespace {

using namespace lathe::compression;

Result<Dataset> load(const IdxPart& part) {
  Records records;
  if (!part.range.empty()) records = {part.range[0], part.range[1]};
  return load_idx(part.images, part.labels, records, {});
}

/// One line for each epoch, counted over all phases.
TrainingHooks telling_hooks(const torch::jit::Module& model, const Dataset& test, std::int64_t done,
                            std::int64_t total) {
  TrainingHooks hooks;
  hooks.after_epoch = [model, &test, done, total](const TrainingProgress& progress) -> Result<void> {
    constexpr std::int64_t batch_size = 250;
    const auto quality = evaluate(model, test, batch_size);
    if (!quality) return tl::unexpected(quality.error());
    std::cout << fmt::format("epoch {}/{}: training loss {:.4f}, accuracy {:.4f}", done + progress.epoch + 1, total,
                             progress.loss, quality->accuracy.value_or(0))
              << std::endl;
    return {};
  };
  return hooks;
}

}  // namespace

Result<void> train_and_save(torch::jit::Module model, const TrainAndTest& data, const Recipe& recipe,
                            const std::filesystem::path& file) {
  const auto train_part = load(data.train);
  if (!train_part) return tl::unexpected(train_part.error());
  const auto test_part = load(data.test);
  if (!test_part) return tl::unexpected(test_part.error());
  std::int64_t total = 0;
  for (const Phase& phase : recipe.phases) total += phase.epochs;
  std::int64_t done = 0;
  for (const Phase& phase : recipe.phases) {
    TrainingOptions options;
    options.epochs = phase.epochs;
    options.seed = recipe.seed + static_cast<std::uint64_t>(done);
    options.optimizer.learning_rate = phase.learning_rate;
    options.optimizer.momentum = 0.9;
    options.optimizer.weight_decay = recipe.weight_decay;
    auto trained = train(model, *train_part, options, nullptr, telling_hooks(model, *test_part, done, total));
    if (!trained) return trained;
    done += phase.epochs;
  }
  model.eval();
  return save_model(model, file);
}

}  // namespace lathe::examples

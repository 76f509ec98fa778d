// lenet-example: draws a data set of digits and trains LeNet on it, or trains LeNet on given IDX files (MNIST).
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/trainer.hpp>

#include "idx_writer.hpp"
#include "lenet.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lathe::compression;

/// A pair of IDX files and which of their records.
struct Part {
  fs::path images;
  fs::path labels;
  std::vector<std::int64_t> range;  ///< empty, or begin and end
};

struct Options {
  fs::path directory = LATHE_EXAMPLES_DIRECTORY "/lenet";
  fs::path model;
  fs::path mnist;
  Part train;
  Part test;
  std::int64_t epochs = 4;
  std::int64_t threads = 1;
  std::uint64_t seed = 0;
  bool if_missing = false;
};

constexpr int kTrainDigits = 6000;
constexpr int kTestDigits = 1000;

/// The 10,000 test images of MNIST, of which the last 2,000 are held back; small, and usually at hand.
void use_mnist(Options& options) {
  const Part all{options.mnist / "t10k-images-idx3-ubyte.gz", options.mnist / "t10k-labels-idx1-ubyte.gz", {}};
  options.train = all;
  options.train.range = {0, 8000};
  options.test = all;
  options.test.range = {8000, 10000};
  if (options.model.empty()) options.model = LATHE_EXAMPLES_DIRECTORY "/mnist/lenet.pt";
}

/// Draws what is not there yet; train and test part come from different seeds.
void use_drawn_digits(Options& options) {
  const fs::path data = options.directory / "data";
  options.train = {data / "train-images-idx3-ubyte", data / "train-labels-idx1-ubyte", {}};
  options.test = {data / "test-images-idx3-ubyte", data / "test-labels-idx1-ubyte", {}};
  const auto missing = [](const Part& part) { return !fs::exists(part.images) || !fs::exists(part.labels); };
  if (missing(options.train) || !options.if_missing) {
    lathe::examples::write_digits(options.train.images, options.train.labels, kTrainDigits, options.seed * 2 + 1);
  }
  if (missing(options.test) || !options.if_missing) {
    lathe::examples::write_digits(options.test.images, options.test.labels, kTestDigits, options.seed * 2 + 2);
  }
}

Result<Dataset> load(const Part& part) {
  Records records;
  if (!part.range.empty()) records = {part.range[0], part.range[1]};
  return load_idx(part.images, part.labels, records, {});
}

Result<void> train_lenet(const Options& options) {
  const auto train_part = load(options.train);
  if (!train_part) return tl::unexpected(train_part.error());
  const auto test_part = load(options.test);
  if (!test_part) return tl::unexpected(test_part.error());
  auto model = lathe::examples::make_lenet(options.seed);
  TrainingOptions training;
  training.epochs = options.epochs;
  training.seed = options.seed;
  training.optimizer.learning_rate = 0.02;
  training.optimizer.momentum = 0.9;
  training.optimizer.weight_decay = 5e-4;
  TrainingHooks hooks;
  hooks.after_epoch = [&](const TrainingProgress& progress) -> Result<void> {
    const auto quality = evaluate(model, *test_part, 256);
    if (!quality) return tl::unexpected(quality.error());
    std::cout << fmt::format("epoch {}/{}: training loss {:.4f}, accuracy {:.4f}", progress.epoch + 1, progress.epochs,
                             progress.loss, quality->accuracy.value())
              << std::endl;
    return {};
  };
  if (auto trained = train(model, *train_part, training, nullptr, hooks); !trained) return trained;
  model.eval();
  return save_model(model, options.model);
}

int make_example(Options options) {
  const bool given = !options.train.images.empty();
  if (!options.mnist.empty()) use_mnist(options);
  if (options.model.empty()) options.model = options.directory / "lenet.pt";
  if (options.mnist.empty() && !given) use_drawn_digits(options);
  if (options.if_missing && fs::exists(options.model)) {
    std::cout << options.model.string() << " is there already" << std::endl;
    return 0;
  }
  at::set_num_threads(static_cast<int>(options.threads));
  const auto trained = train_lenet(options);
  if (!trained) {
    std::cerr << "lenet-example: error: " << trained.error().message << std::endl;
    return 2;
  }
  std::cout << "saved " << options.model.string() << std::endl;
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Draws digits and trains LeNet on them; with --data or --train-images it trains on those files instead."};
  Options options;
  app.add_option("--directory", options.directory, "Folder of the drawn data (data/) and the model")
      ->capture_default_str();
  auto* model =
      app.add_option("--model", options.model, "Where to save the model (default: lenet.pt in the example's folder)");
  auto* mnist = app.add_option("--data", options.mnist, "Folder with MNIST's t10k-*.gz: train on 8,000, test on 2,000");
  auto* images =
      app.add_option("--train-images", options.train.images, "IDX file, plain or .gz")->excludes(mnist)->needs(model);
  auto* labels = app.add_option("--train-labels", options.train.labels, "IDX file")->needs(images);
  auto* test_images = app.add_option("--test-images", options.test.images, "IDX file")->needs(labels);
  auto* test_labels = app.add_option("--test-labels", options.test.labels, "IDX file")->needs(test_images);
  images->needs(test_labels);
  app.add_option("--train-range", options.train.range, "First record and the one behind the last")
      ->expected(2)
      ->needs(images);
  app.add_option("--test-range", options.test.range, "First record and the one behind the last")
      ->expected(2)
      ->needs(images);
  app.add_option("--epochs", options.epochs, "Epochs of training")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of one operation")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the drawing, the weights and the training")->capture_default_str();
  app.add_flag("--if-missing", options.if_missing, "Keep files that are there");
  CLI11_PARSE(app, argc, argv);
  return make_example(std::move(options));
}

}  // namespace

int main(int argc, char** argv) {
  int code = 1;
  try {
    code = run(argc, argv);
  } catch (const std::exception& thrown) {
    std::cerr << "lenet-example: error: " << thrown.what() << std::endl;
  }
  std::cout.flush();
  _exit(code);
}

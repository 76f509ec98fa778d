// lenet-example: draws a data set of digits and trains LeNet on it, or trains LeNet on given IDX files (MNIST).
#include <filesystem>

#include "classifier/program.hpp"
#include "lenet/lenet.hpp"

namespace {

using namespace lathe::examples;
namespace fs = std::filesystem;

constexpr auto kProgram = "lenet-example";
constexpr auto kFolder = LATHE_EXAMPLES_DIRECTORY "/lenet";
constexpr auto kMnistFolder = LATHE_EXAMPLES_DIRECTORY "/mnist";

struct Options : ProgramOptions {
  fs::path mnist;
  TrainAndTest given;
  bool batch_norm = false;
};

/// The 10,000 test images of MNIST, of which the last 2,000 are held back; small, and usually at hand.
TrainAndTest mnist_data(const fs::path& folder) {
  const IdxPart all{folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz", {}};
  TrainAndTest data{all, all};
  data.train.range = {0, 8000};
  data.test.range = {8000, 10000};
  return data;
}

TrainAndTest find_data(const Options& options) {
  if (!options.mnist.empty()) return mnist_data(options.mnist);
  if (!options.given.train.images.empty()) return options.given;
  copy_experiments(kFolder, options.directory, options.if_missing);
  return draw_data(options.directory / "data", options.seed, options.if_missing);
}

Recipe recipe(const Options& options) {
  Recipe recipe;
  recipe.phases = {{options.epochs, 0.02}};
  recipe.seed = options.seed;
  return recipe;
}

void add_data_options(CLI::App& app, Options& options) {
  auto* model =
      app.add_option("--model", options.model, "Where to save the model (default: lenet.pt in the example's folder)");
  auto* mnist = app.add_option("--data", options.mnist, "Folder with MNIST's t10k-*.gz: train on 8,000, test on 2,000");
  auto& [train, test] = options.given;
  auto* images =
      app.add_option("--train-images", train.images, "IDX file, plain or .gz")->excludes(mnist)->needs(model);
  auto* labels = app.add_option("--train-labels", train.labels, "IDX file")->needs(images);
  auto* test_images = app.add_option("--test-images", test.images, "IDX file")->needs(labels);
  auto* test_labels = app.add_option("--test-labels", test.labels, "IDX file")->needs(test_images);
  images->needs(test_labels);
  app.add_option("--train-range", train.range, "First record and the one behind the last")->expected(2)->needs(images);
  app.add_option("--test-range", test.range, "First record and the one behind the last")->expected(2)->needs(images);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Draws digits and trains LeNet on them; with --data or --train-images it trains on those files instead."};
  Options options;
  options.directory = kFolder;
  options.epochs = 4;
  add_options(app, options);
  add_data_options(app, options);
  app.add_flag("--batch-norm", options.batch_norm,
               "With batch norm behind each convolution; the model is lenet-bn.pt unless named");
  CLI11_PARSE(app, argc, argv);
  if (options.model.empty()) {
    const fs::path folder = options.mnist.empty() ? options.directory : fs::path(kMnistFolder);
    options.model = folder / (options.batch_norm ? "lenet-bn.pt" : "lenet.pt");
  }
  const BatchNorm batch_norm = options.batch_norm ? BatchNorm::Yes : BatchNorm::No;
  return make_model(
      kProgram, options, [&] { return make_lenet(options.seed, batch_norm); }, find_data(options), recipe(options));
}

}  // namespace

int main(int argc, char** argv) {
  leave_with(kProgram, [&] { return run(argc, argv); });
}

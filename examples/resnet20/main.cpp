// resnet20-example: draws a data set of digits and trains ResNet-20 on it.
#include <algorithm>

#include "classifier/program.hpp"
#include "resnet20/resnet20.hpp"

namespace {

using namespace lathe::examples;

constexpr auto kProgram = "resnet20-example";
constexpr auto kFolder = LATHE_EXAMPLES_DIRECTORY "/resnet20";

/// The paper's schedule in short: most of the training at one rate, the last epoch at a tenth of it.
Recipe recipe(const ProgramOptions& options) {
  constexpr double rate = 0.1;
  Recipe recipe;
  if (options.epochs > 1) recipe.phases.push_back({options.epochs - 1, rate});
  recipe.phases.push_back({1, rate / 10});
  recipe.weight_decay = 1e-4;
  recipe.seed = options.seed;
  return recipe;
}

int run(int argc, char** argv) {
  CLI::App app{"Draws digits and trains ResNet-20 on them; makes data/, model.pt and experiment.yml."};
  ProgramOptions options;
  options.directory = kFolder;
  options.epochs = 2;
  add_options(app, options);
  app.add_option("--model", options.model, "Where to save the model (default: model.pt in the example's folder)");
  CLI11_PARSE(app, argc, argv);
  if (options.model.empty()) options.model = options.directory / "model.pt";
  copy_experiments(kFolder, options.directory, options.if_missing);
  const TrainAndTest data = draw_data(options.directory / "data", options.seed, options.if_missing);
  return make_model(
      kProgram, options, [&] { return make_resnet20(options.seed); }, data, recipe(options));
}

}  // namespace

int main(int argc, char** argv) {
  leave_with(kProgram, [&] { return run(argc, argv); });
}

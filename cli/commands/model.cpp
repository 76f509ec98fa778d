#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands/commands.hpp"
#include "trial_program.hpp"

namespace lathe::cli {
namespace {

using Arguments = std::vector<std::string>;

/// An option that was given, as one word: a value that begins with - stays a value.
void add(Arguments& arguments, const std::string& option, const std::string& value) {
  if (!value.empty()) arguments.push_back(option + "=" + value);
}

Outcome<ExitCode> run(Context& context, Arguments arguments, const std::string& model) {
  if (context.wants_json()) arguments.push_back("--json");
  if (!model.empty()) {
    arguments.push_back("--");
    arguments.push_back(model);
  }
  context.out.stream.flush();
  return run_trial_program(arguments);
}

struct InspectOptions {
  std::string model;
  std::string shape;
  std::string input;
  bool json = false;
};

struct CompressOptions {
  std::string model;
  std::string config;
  std::string output;
  std::string parameters;
};

}  // namespace

Action declare_inspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  app.add_option("model", options->model, "TorchScript file")->required();
  auto* shape = app.add_option("--input-shape", options->shape,
                               "Shape of an input batch, to run the model on noise: 1,3,224,224");
  app.add_option("--input", options->input, "File of an input batch, written by torch.save")->excludes(shape);
  app.add_flag("--json", options->json, "As -o json");
  return [options](Context& context) {
    if (options->json) context.format = OutputFormat::ForPrograms;
    Arguments arguments{"inspect"};
    add(arguments, "--input-shape", options->shape);
    add(arguments, "--input", options->input);
    return run(context, std::move(arguments), options->model);
  };
}

Action declare_compress(CLI::App& app) {
  const auto options = std::make_shared<CompressOptions>();
  app.add_option("model", options->model, "TorchScript file; default: compression.model of the configuration");
  app.add_option("-c,--config", options->config, "Experiment file whose search space leaves nothing to choose")
      ->required();
  app.add_option("-d,--output", options->output, "Folder to make, with compressed.pt and report.json")->required();
  app.add_option("--parameters", options->parameters,
                 R"(What to do, instead of the search space: {"algorithm": {"_name": "l1", "sparsity": 0.5}})");
  return [options](Context& context) {
    Arguments arguments{"compress"};
    add(arguments, "--config", options->config);
    add(arguments, "--output", options->output);
    add(arguments, "--parameters", options->parameters);
    return run(context, std::move(arguments), options->model);
  };
}

}  // namespace lathe::cli

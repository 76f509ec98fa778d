// lathe-trial: the built-in trial program of compression experiments.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "compress_once.hpp"
#include "environment.hpp"
#include "inspect.hpp"
#include "notices.hpp"
#include "prepare.hpp"
#include "run.hpp"
#include "serve.hpp"

namespace {

using lathe::trial::Error;
using lathe::trial::Result;

constexpr int kSuccess = 0;
constexpr int kUnexpected = 1;
constexpr int kBadInput = 2;

/// Static teardown of LibTorch takes 50 ms that nobody gains anything from.
[[noreturn]] void leave(int code) {
  std::cout.flush();
  std::cerr.flush();
  _exit(code);
}

int finish(const Result<void>& result) {
  if (result) return kSuccess;
  std::cerr << "lathe-trial: error: " << result.error().message << std::endl;
  return kBadInput;
}

template <class Command>
Result<void> with_environment(Command command) {
  const auto environment = lathe::trial::read_environment([](const char* name) { return std::getenv(name); });
  if (!environment) return tl::unexpected(environment.error());
  lathe::trial::warn_about_blas();
  return command(*environment);
}

Result<void> run_fresh(const lathe::trial::Environment& environment) {
  return lathe::trial::run_trial(environment);
}

/// The warm parent; its children come back from `serve` and go the way of `run`.
Result<void> serve_trials(const std::string& config) {
  auto served = lathe::trial::serve(config);
  if (!served) return tl::unexpected(served.error());
  if (!served->has_value()) return {};
  return with_environment([&](const lathe::trial::Environment& environment) {
    if (environment.compression_config != config) return run_fresh(environment);
    return lathe::trial::run_trial(environment, std::move(**served));
  });
}

struct InspectOptions {
  std::string model;
  std::string shape;
  std::string input;
  bool json = false;
};

Result<void> show_model(const InspectOptions& options) {
  std::optional<at::Tensor> input;
  if (!options.input.empty()) {
    const auto read = lathe::trial::read_input(options.input);
    if (!read) return tl::unexpected(read.error());
    input = *read;
  } else if (!options.shape.empty()) {
    const auto shape = lathe::trial::parse_shape(options.shape);
    if (!shape) return tl::unexpected(shape.error());
    input = at::randn(*shape, at::detail::createCPUGenerator(/*seed=*/0));
  }
  const auto found = lathe::trial::inspect(options.model, input);
  if (!found) return tl::unexpected(found.error());
  std::cout << (options.json ? lathe::trial::to_json(*found).dump(2) + "\n" : lathe::trial::to_text(*found));
  return {};
}

/// Standard output is for the result; what is said meanwhile goes where errors go.
Result<void> compress_model(const lathe::trial::CompressOptions& options, bool json) {
  std::ostream out(std::cout.rdbuf());
  std::cout.rdbuf(std::cerr.rdbuf());
  lathe::trial::warn_about_blas();
  const auto report = lathe::trial::compress_once(options);
  std::cout.rdbuf(out.rdbuf());
  if (!report) return tl::unexpected(report.error());
  out << (json ? report->dump(2) + "\n" : lathe::trial::cost_table(*report)) << std::flush;
  return {};
}

/// The options of all subcommands.
struct Options {
  std::string serve_config;
  InspectOptions inspect;
  lathe::trial::CompressOptions compress;
  bool compress_json = false;
};

const CLI::App* add_inspect(CLI::App& app, InspectOptions& options) {
  auto* inspect = app.add_subcommand("inspect", "Show the layers of a model and which of its channels can be cut");
  inspect->add_option("model", options.model, "TorchScript file")->required();
  auto* shape = inspect->add_option("--input-shape", options.shape,
                                    "Shape of an input batch, to run the model on noise: 1,3,224,224");
  inspect->add_option("--input", options.input, "File of an input batch, written by torch.save")->excludes(shape);
  inspect->add_flag("--json", options.json, "For programs");
  return inspect;
}

const CLI::App* add_compress(CLI::App& app, Options& options) {
  auto& [config, output, model, parameters] = options.compress;
  auto* compress = app.add_subcommand("compress", "Compress a model in one way, from the file to the report");
  compress->add_option("model", model, "TorchScript file; default: compression.model of the configuration");
  compress->add_option("--config", config, "Experiment file")->required();
  compress->add_option("--output", output, "Folder to make")->required();
  compress->add_option("--parameters", parameters, "What to do, instead of the search space: a JSON object");
  compress->add_flag("--json", options.compress_json, "For programs");
  return compress;
}

int run_command(int argc, char** argv) {
  CLI::App app{"Compresses a trained model, fine-tunes it, measures it and reports, as one trial of an experiment."};
  app.set_version_flag("--version", LATHE_VERSION);
  app.require_subcommand(0, 1);
  const auto* run =
      app.add_subcommand("run", "Run the trial that the environment describes (the default under NNI_SYS_DIR)");
  const auto* prepare = app.add_subcommand("prepare", "Check model, data and search space, and measure the original");
  Options options;
  const auto* inspect = add_inspect(app, options.inspect);
  const auto* compress = add_compress(app, options);
  auto* serve =
      app.add_subcommand("serve", "Load model and data once and fork trials for lathe-agent on standard input");
  serve->add_option("config", options.serve_config, "JSON file of the compression settings")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kBadInput;
  }
  if (inspect->parsed()) return finish(show_model(options.inspect));
  if (compress->parsed()) return finish(compress_model(options.compress, options.compress_json));
  if (prepare->parsed()) return finish(with_environment(lathe::trial::prepare));
  if (serve->parsed()) return finish(serve_trials(options.serve_config));
  if (run->parsed() || std::getenv("NNI_SYS_DIR") != nullptr) return finish(with_environment(run_fresh));
  std::cout << app.help();
  return kBadInput;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    leave(run_command(argc, argv));
  } catch (const std::exception& thrown) {
    std::cerr << "lathe-trial: error: unexpected: " << thrown.what() << std::endl;
  }
  leave(kUnexpected);
}

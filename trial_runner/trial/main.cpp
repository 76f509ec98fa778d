// lathe-trial: the built-in trial program of compression experiments.
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>
#include <CLI/CLI.hpp>

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

Result<void> show_model(const std::string& model, const std::string& shape_text) {
  std::optional<lathe::compression::Shape> shape;
  if (!shape_text.empty()) {
    const auto parsed = lathe::trial::parse_shape(shape_text);
    if (!parsed) return tl::unexpected(parsed.error());
    shape = *parsed;
  }
  const auto table = lathe::trial::inspect(model, shape);
  if (!table) return tl::unexpected(table.error());
  std::cout << *table;
  return {};
}

int run_command(int argc, char** argv) {
  CLI::App app{"Compresses a trained model, fine-tunes it, measures it and reports, as one trial of an experiment."};
  app.require_subcommand(0, 1);
  const auto* run =
      app.add_subcommand("run", "Run the trial that the environment describes (the default under NNI_SYS_DIR)");
  const auto* prepare = app.add_subcommand("prepare", "Check model, data and search space, and measure the original");
  auto* inspect = app.add_subcommand("inspect", "Show the layers of a TorchScript model");
  auto* serve =
      app.add_subcommand("serve", "Load model and data once and fork trials for lathe-agent on standard input");
  std::string config;
  serve->add_option("config", config, "JSON file of the compression settings")->required();
  std::string model;
  std::string shape;
  inspect->add_option("model", model, "TorchScript file")->required();
  inspect->add_option("--input-shape", shape, "Shape of an input batch, e.g. 1,1,28,28, to count multiply-accumulates");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kSuccess : kBadInput;
  }
  if (inspect->parsed()) return finish(show_model(model, shape));
  if (prepare->parsed()) return finish(with_environment(lathe::trial::prepare));
  if (serve->parsed()) return finish(serve_trials(config));
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

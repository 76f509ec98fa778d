// zoo-check: speeds up real architectures under random masks and compares what they compute.
//
//   zoo-check --core                        the models that are built here
//   zoo-check OUT_DIR/*.pt                  what tests/zoo/build.py has written
//
// Exit status: 0 all passed, 1 some failed (the others are still tried), 2 bad arguments.
#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "check.hpp"
#include "core_models.hpp"
#include "model_file.hpp"
#include "program.hpp"

namespace {

using lathe::zoo::CheckOptions;
using lathe::zoo::MaskKind;
using lathe::zoo::Outcome;
namespace fs = std::filesystem;

constexpr int kFailed = 1;
constexpr int kBadArguments = 2;

struct Options {
  std::vector<fs::path> files;
  std::vector<std::string> kinds{"plain", "extended", "aligned"};
  bool core = false;
  int threads = 1;
  CheckOptions check;
};

std::string ratio(double before, double after) {
  return fmt::format("{:8.2f}M {:8.2f}M {:5.1f}%", before / 1e6, after / 1e6, before > 0 ? 100 * after / before : 100);
}

void print_header(bool latency) {
  fmt::print("{:<22} {:<9} {:<9} {:<6} {:<24} {:<24} {:>7} {:>9} {:>8}{}\n", "model", "form", "masks", "passed",
             "parameters before/after", "MACs before/after", "kept", "max diff", "seconds",
             latency ? "   latency before/after" : "");
}

void print_row(const std::string& model, const std::string& form, const Outcome& row, bool latency) {
  fmt::print("{:<22} {:<9} {:<9} {:>2} / {:<2} ", model, form, name_of(row.kind), row.passed, row.tried);
  if (row.passed > 0) {
    fmt::print("{} {} {:7.0f} {:9.1e} {:8.2f}", ratio(row.parameters_before, row.parameters_after),
               ratio(row.macs_before, row.macs_after), row.kept_channels, row.difference, row.seconds);
    if (latency) {
      fmt::print("   {:7.2f} {:7.2f} ms {:5.2f}x", row.original_ms, row.result_ms, row.original_ms / row.result_ms);
    }
  }
  fmt::print("\n");
  for (const auto& failure : row.failures) fmt::print("    FAILED: {}\n", failure);
  std::fflush(stdout);
}

bool check_all_kinds(const std::string& name, const std::string& form, const torch::jit::Module& model,
                     const at::Tensor& example, const Options& options) {
  bool passed = true;
  for (const auto kind : {MaskKind::Plain, MaskKind::Extended, MaskKind::Aligned}) {
    if (std::find(options.kinds.begin(), options.kinds.end(), name_of(kind)) == options.kinds.end()) continue;
    const auto outcome = lathe::zoo::check(model, example, kind, options.check);
    print_row(name, form, outcome, options.check.latency);
    passed = passed && outcome.passed == outcome.tried;
  }
  return passed;
}

bool check_file(const fs::path& file, const Options& options) {
  const auto [name, form, model, example] = lathe::zoo::read_zoo_model(file);
  return check_all_kinds(name, form, model, example, options);
}

bool check_files(const Options& options) {
  bool passed = true;
  for (const auto& file : options.files) {
    if (lathe::zoo::is_input_file(file)) continue;
    try {
      passed = check_file(file, options) && passed;
    } catch (const std::exception& error) {
      fmt::print("{}\n    FAILED: {}\n", file.filename().string(), error.what());
      passed = false;
    }
  }
  return passed;
}

int run(int argc, char** argv) {
  CLI::App app{"Speeds up real architectures under random masks and compares what they compute."};
  Options options;
  app.add_option("files", options.files, "NAME.FORM.pt, with NAME.input.pt beside it");
  app.add_flag("--core", options.core, "The models that need no file");
  app.add_option("--masks", options.kinds, "Kinds of masks")
      ->check(CLI::IsMember({"plain", "extended", "aligned"}))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  app.add_option("--seeds", options.check.seeds, "Masks of each kind")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--sparsity", options.check.sparsity)->check(CLI::Range(0.0, 0.99))->capture_default_str();
  app.add_flag("--latency", options.check.latency, "Time both models on one sample");
  app.add_option("--threads", options.threads, "Threads of a model")->check(CLI::Range(1, 1024))->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadArguments;
  }
  if (!options.core && options.files.empty()) {
    std::cerr << "zoo-check: nothing to check: name files, or --core\n";
    return kBadArguments;
  }
  at::set_num_threads(options.threads);
  print_header(options.check.latency);
  bool passed = true;
  if (options.core) {
    for (const auto& [name, model, example] : lathe::zoo::core_models(/*seed=*/1))
      passed = check_all_kinds(name, "core", model, example, options) && passed;
  }
  passed = check_files(options) && passed;
  return passed ? 0 : kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  lathe::zoo::run_program(argc, argv, run, /*failed=*/kFailed);
}

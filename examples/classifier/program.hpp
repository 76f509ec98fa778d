// What the example programs have in common: options, files, messages, exit codes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <torch/csrc/jit/api/module.h>
#include <CLI/CLI.hpp>

#include "classifier/training.hpp"
#include "digits/digit_data.hpp"

namespace lathe::examples {

struct ProgramOptions {
  std::filesystem::path directory;  ///< of data/, the model and the experiment files
  std::filesystem::path model;      ///< empty: the example's own name in `directory`
  std::int64_t epochs = 1;
  std::int64_t threads = 1;
  std::uint64_t seed = 0;
  bool if_missing = false;
};

void add_options(CLI::App& app, ProgramOptions& options);

/// Copies the experiment files (*.yml) of `source` to `directory`, unless that is the same folder; with `if_missing`
/// those that are there stay. Throws std::filesystem::filesystem_error.
void copy_experiments(const std::filesystem::path& source, const std::filesystem::path& directory, bool if_missing);

/// Trains what `make` builds and saves it as `options.model`; with `if_missing` a model that is there stays.
/// Exit code 0, or 2 after the error was told.
[[nodiscard]] int make_model(const std::string& program, const ProgramOptions& options,
                             const std::function<torch::jit::Module()>& make, const TrainAndTest& data,
                             const Recipe& recipe);

/// Runs a program's body; what it throws is told and is exit code 1. Static teardown of LibTorch is left out.
[[noreturn]] void leave_with(const std::string& program, const std::function<int()>& body);

}  // namespace lathe::examples

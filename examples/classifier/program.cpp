#include "classifier/program.hpp"

#include <exception>
#include <iostream>

#include <ATen/Parallel.h>
#include <unistd.h>

namespace lathe::examples {

namespace fs = std::filesystem;

void add_options(CLI::App& app, ProgramOptions& options) {
  constexpr std::int64_t most_epochs = 1000;
  constexpr std::int64_t most_threads = 256;
  app.add_option("--directory", options.directory, "Folder of the drawn data (data/), the model and the experiments")
      ->capture_default_str();
  app.add_option("--epochs", options.epochs, "Epochs of training")
      ->check(CLI::Range(std::int64_t{1}, most_epochs))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of one operation")
      ->check(CLI::Range(std::int64_t{1}, most_threads))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the drawing, the weights and the training")->capture_default_str();
  app.add_flag("--if-missing", options.if_missing, "Keep files that are there");
}

void copy_experiments(const fs::path& source, const fs::path& directory, bool if_missing) {
  fs::create_directories(directory);
  if (!fs::is_directory(source) || fs::equivalent(source, directory)) return;
  const auto mode = if_missing ? fs::copy_options::skip_existing : fs::copy_options::overwrite_existing;
  for (const auto& entry : fs::directory_iterator(source)) {
    if (entry.path().extension() == ".yml") fs::copy_file(entry.path(), directory / entry.path().filename(), mode);
  }
}

int make_model(const std::string& program, const ProgramOptions& options,
               const std::function<torch::jit::Module()>& make, const TrainAndTest& data, const Recipe& recipe) {
  if (options.if_missing && fs::exists(options.model)) {
    std::cout << options.model.string() << " is there already" << std::endl;
    return 0;
  }
  at::set_num_threads(static_cast<int>(options.threads));
  const auto trained = train_and_save(make(), data, recipe, options.model);
  if (!trained) {
    std::cerr << program << ": error: " << trained.error().message << std::endl;
    return 2;
  }
  std::cout << "saved " << options.model.string() << std::endl;
  return 0;
}

void leave_with(const std::string& program, const std::function<int()>& body) {
  int code = 1;
  try {
    code = body();
  } catch (const std::exception& thrown) {
    std::cerr << program << ": error: " << thrown.what() << std::endl;
  }
  std::cout.flush();
  _exit(code);
}

}  // namespace lathe::examples

#include "experiment/workplace.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "experiment/files.hpp"
#include "experiment/ids.hpp"

namespace lathe::manager {

namespace fs = std::filesystem;

Workplace::Workplace(const ExperimentState& state, std::string root)
    : here_(state.record().directory),
      root_(std::move(root)),
      id_(state.id()),
      preparation_attempt_(state.row.preparation_attempt) {}

std::string Workplace::experiment_folder() const {
  return is_here() ? here_.string() : fmt::format("{}/experiments/{}", root_, id_);
}

std::string Workplace::baseline_folder() const {
  if (is_here()) return ExperimentFolder{here_}.baseline().string();
  return experiment_folder() + "/" + AttemptId{id_, std::string(preparation_trial), preparation_attempt_}.folder();
}

std::string Workplace::trial_folder(const TrialRecord& trial) const {
  return is_here() ? trial.directory : experiment_folder() + "/" + AttemptId{id_, trial.id, trial.attempt}.folder();
}

std::string Workplace::place_of(const fs::path& path) const {
  return fmt::format("{}/files{}", experiment_folder(), path.lexically_normal().string());
}

std::string Workplace::file(const fs::path& path) {
  if (is_here()) return path.string();
  inputs_.push_back({TrialInput::Kind::File, path, {}, place_of(path)});
  return inputs_.back().to;
}

std::string Workplace::tree(const fs::path& folder) {
  if (is_here()) return folder.string();
  inputs_.push_back({TrialInput::Kind::Tree, folder, {}, place_of(folder)});
  return inputs_.back().to;
}

std::string Workplace::code(const fs::path& folder) {
  if (is_here()) return folder.string();
  inputs_.push_back({TrialInput::Kind::Code, folder, {}, experiment_folder() + "/code"});
  return inputs_.back().to;
}

std::string Workplace::program(const fs::path& path, const std::string& version) {
  if (is_here()) return path.string();
  inputs_.push_back(
      {TrialInput::Kind::Program, path, {}, fmt::format("{}/lathe-trial-{}/lathe-trial", root_, version)});
  return inputs_.back().to;
}

std::string Workplace::compression(const proto::CompressionConfig& config, const fs::path& here) {
  if (is_here()) return here.string();
  proto::CompressionConfig moved = config;
  moved.model = file(config.model);
  move_data(moved.data.train);
  move_data(moved.data.test);
  inputs_.push_back({TrialInput::Kind::Text, {}, proto::to_json(moved).dump(2), place_of(here)});
  return inputs_.back().to;
}

void Workplace::move_data(proto::DataPart& part) {
  if (auto* idx = std::get_if<proto::IdxFiles>(&part.source)) {
    idx->images = file(idx->images);
    idx->labels = file(idx->labels);
  } else if (auto* cifar = std::get_if<proto::CifarFiles>(&part.source)) {
    for (fs::path& batch : cifar->batches) batch = file(batch);
  } else if (auto* tensor = std::get_if<proto::TensorFile>(&part.source)) {
    tensor->file = file(tensor->file);
  } else if (auto* npy = std::get_if<proto::NpyFiles>(&part.source)) {
    npy->inputs = file(npy->inputs);
    npy->targets = file(npy->targets);
  } else {
    auto& images = std::get<proto::ImageFolder>(part.source);
    images.folder = tree(images.folder);
  }
}

}  // namespace lathe::manager

// The folder of an experiment. Blocking; called on the pool.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/result.hpp>

namespace lathe::manager {

struct ExperimentFolder {
  std::filesystem::path root;  ///< experiments/ID

  [[nodiscard]] std::filesystem::path config() const { return root / "config.json"; }
  [[nodiscard]] std::filesystem::path search_space() const { return root / "search_space.json"; }
  [[nodiscard]] std::filesystem::path compression() const { return root / "compression.json"; }
  [[nodiscard]] std::filesystem::path warm_log() const { return root / "warm.log"; }
  [[nodiscard]] std::filesystem::path baseline() const { return root / "baseline"; }
  [[nodiscard]] std::filesystem::path baseline_result() const { return baseline() / "baseline.json"; }
  [[nodiscard]] std::filesystem::path trial(const std::string& id) const { return root / "trials" / id; }
  [[nodiscard]] std::filesystem::path best() const { return root / "best"; }
};

/// Makes the folder and its JSON files; what was made is removed again when that fails.
[[nodiscard]] proto::Result<void> create_folder(const ExperimentFolder& folder, const proto::ExperimentConfig& config);

/// The random word in DATA/daemon_id, made when missing: letters and digits.
[[nodiscard]] proto::Result<std::string> daemon_id_of(const std::filesystem::path& data_dir);

/// Writes config.json and search_space.json anew, after a change.
[[nodiscard]] proto::Result<void> write_config(const ExperimentFolder& folder, const proto::ExperimentConfig& config);

/// Points `best` at the trial's folder, atomically.
[[nodiscard]] proto::Result<void> link_best(const ExperimentFolder& folder, const std::string& trial_id);

/// A deletion is three steps, so that a crash between them leaves nothing half done: the folder is set aside (renamed
/// to ID.deleted), the database forgets the experiment, the folder is removed.
[[nodiscard]] proto::Result<void> set_aside(const ExperimentFolder& folder);
void put_back(const ExperimentFolder& folder);
void remove_set_aside(const ExperimentFolder& folder);

/// Ids of experiments whose folders are set aside under `experiments`.
[[nodiscard]] std::vector<std::string> folders_set_aside(const std::filesystem::path& experiments);

}  // namespace lathe::manager

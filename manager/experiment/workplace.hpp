// Where a trial finds its files on its host. Where the host has this machine's disk, that is where they are; elsewhere
// they lie under the agent's root, and what has to be brought there is listed as inputs. Pure.
//
//   ROOT/experiments/ID/files/…    models, data and settings, under their absolute paths here
//   ROOT/experiments/ID/code/…     the code folder, as it was when a trial started, by its hash
//   ROOT/experiments/ID/baseline   the preparation's folder
//   ROOT/experiments/ID/trials/…   the trials' folders, one for each attempt (ids.hpp)
//   ROOT/lathe-trial-VERSION/      this machine's lathe-trial with its libraries
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lathe/proto/compression_config.hpp>

#include "experiment/state.hpp"
#include "hosts/host.hpp"

namespace lathe::manager {

class Workplace {
 public:
  /// `root` empty: the host has this machine's disk.
  Workplace(const ExperimentState& state, std::string root);

  [[nodiscard]] bool is_here() const { return root_.empty(); }
  [[nodiscard]] std::string experiment_folder() const;
  [[nodiscard]] std::string baseline_folder() const;
  [[nodiscard]] std::string trial_folder(const TrialRecord& trial) const;

  // Each gives the path on the host, and sees to it that the thing is there.
  std::string file(const std::filesystem::path& path);
  std::string tree(const std::filesystem::path& folder);
  std::string code(const std::filesystem::path& folder);
  std::string program(const std::filesystem::path& path, const std::string& version);
  /// The canonical compression block, with the host's paths.
  std::string compression(const proto::CompressionConfig& config, const std::filesystem::path& here);

  [[nodiscard]] std::vector<TrialInput> take_inputs() { return std::move(inputs_); }

 private:
  [[nodiscard]] std::string place_of(const std::filesystem::path& path) const;
  void move_data(proto::DataPart& part);

  std::filesystem::path here_;  ///< the experiment's folder on this machine
  std::string root_;
  std::string id_;
  std::int64_t preparation_attempt_;
  std::vector<TrialInput> inputs_;
};

}  // namespace lathe::manager

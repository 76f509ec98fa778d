// What a config says about Slurm jobs, as it comes in StartTrial::launcher.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::agent {

/// {"kind": "slurm", "directives": ["--partition=gpu"], "prologue": "module load cuda"}; both keys may be missing.
struct SlurmSettings {
  std::vector<std::string> directives;  ///< options of sbatch, each beginning with "--"
  std::string prologue;                 ///< shell lines that run before the trial's command

  /// An error names the key. Options by which the agent itself finds and reads its jobs are refused.
  [[nodiscard]] static proto::Result<SlurmSettings> from_json(const nlohmann::ordered_json& launcher);

  /// `--clusters` of the directives: where the jobs will be; empty: the cluster of this host.
  [[nodiscard]] std::string clusters() const;
};

}  // namespace lathe::agent

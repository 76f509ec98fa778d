// The places that a config names, one by one: what the fleet keeps a connection to and the scheduler puts trials on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/experiment_config.hpp>

namespace lathe::manager {

struct HostSpec {
  enum class Kind { Local, Remote, Slurm, Pai };
  Kind kind = Kind::Local;
  std::string id = "local";  ///< `local`, `slurm`, `pai:ana@pai.lan`, or what ssh is given: `ana@a.lan:2222`
  std::int64_t rank = 0;     ///< place of its training service in the config: lower ones fill first
  std::optional<proto::SshAddress> address;  ///< none: this machine
  proto::GpuPolicy gpus;
  std::optional<std::int64_t> slots;  ///< trials at once, of all experiments; none: no limit
  std::string python_path;
  std::map<std::string, std::string> labels;
  nlohmann::ordered_json launcher;  ///< StartTrial::launcher; null: the agent's own children

  /// Whether GPUs are ours to give; a cluster has a scheduler of its own.
  [[nodiscard]] bool gives_gpus() const { return kind != Kind::Slurm && kind != Kind::Pai; }
  /// Whether trials see only what is in their own folder, so that code is copied there.
  [[nodiscard]] bool copies_code() const { return kind == Kind::Pai; }
  /// Whether trials go on when the machine that started them has gone: they are jobs of a cluster.
  [[nodiscard]] bool is_outlived() const { return kind == Kind::Slurm || kind == Kind::Pai; }
  /// Whether trials there see this machine's disk under the same paths.
  [[nodiscard]] bool shares_disk() const { return !address; }
};

/// In the order of the config.
[[nodiscard]] std::vector<HostSpec> host_specs(const proto::ExperimentConfig& config);

}  // namespace lathe::manager

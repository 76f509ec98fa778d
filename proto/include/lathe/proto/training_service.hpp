// `trainingService:`: where trials run. NNI's keys for the local, the remote and the OpenPAI
// platform, ours for Slurm. A list of
// services is NNI's hybrid platform: the scheduler fills them in the order in which they stand.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace lathe::proto {

/// A word that must not be seen: to_json() leaves it out, and nothing prints it by accident.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& reveal() const { return text_; }

 private:
  std::string text_;
};

/// How the GPUs of a host are given to trials that want some (trialGpuNumber above 0).
struct GpuPolicy {
  bool use_active_gpu = false;                           ///< also GPUs that processes of others use
  std::int64_t max_trials_per_gpu = 1;                   ///< > 0; above 1 a trial with trialGpuNumber 1 shares its GPU
  std::optional<std::vector<std::int64_t>> gpu_indices;  ///< only these; none: all. No duplicates, not empty
};

/// This machine.
struct LocalService {
  GpuPolicy gpus;
  std::optional<std::int64_t> slots;  ///< trials at once, of all experiments; > 0; none: no limit
};

/// How to reach a machine by OpenSSH; what is not set is as the daemon's user's ssh_config says.
struct SshAddress {
  std::string host;  ///< a name, an address or a Host of ssh_config; never begins with '-'
  std::optional<std::int64_t> port;
  std::string user;
  std::filesystem::path key_file;
  Secret password;
  Secret passphrase;  ///< of key_file

  /// `user@host:port` with what is set: what the machine is called everywhere.
  [[nodiscard]] std::string name() const;
};

struct RemoteMachine {
  SshAddress address;
  GpuPolicy gpus;
  std::string python_path;                    ///< a folder that is put in front of PATH; empty: none
  std::optional<std::int64_t> slots;          ///< trials at once, of all experiments; > 0; none: no limit
  std::map<std::string, std::string> labels;  ///< for people and for `lathectl host ls`
};

/// Machines reached by SSH; no two of the same name.
struct RemoteService {
  std::vector<RemoteMachine> machines;  ///< not empty
};

/// Trials as jobs of a Slurm cluster.
struct SlurmService {
  std::optional<SshAddress> submit_host;  ///< none: sbatch runs on this machine
  std::string partition;
  std::string account;
  std::string qos;
  std::string time_limit;  ///< as sbatch --time has it
  std::string gres_type;   ///< "gpu" or "gpu:a100": trialGpuNumber of it are asked for
  std::optional<std::int64_t> cpus_per_task;
  std::string memory;                   ///< as sbatch --mem has it
  std::vector<std::string> directives;  ///< further options of sbatch, each beginning with "--"
  std::string prologue;                 ///< shell lines before the trial's command: modules, containers
  std::optional<std::int64_t> slots;    ///< jobs in the queue at once, of all experiments

  /// `slurm` or `slurm:` and the name of the submit host.
  [[nodiscard]] std::string name() const;
};

/// Trials as jobs of an OpenPAI cluster, submitted through its REST server by this machine.
struct PaiService {
  std::string url;        ///< `https://host[:port]`; http:// only where the config says so
  std::string user;       ///< letters, digits and . _ -
  Secret token;           ///< of PAI's portal
  std::int64_t cpus = 1;  ///< of a trial's container, as are the next two; trialGpuNumber is the experiment's own key
  std::int64_t memory_mb = 0;               ///< 0: the job protocol says it
  std::string docker_image;                 ///< where the job protocol names none
  std::string virtual_cluster;              ///< empty: PAI's default
  std::string storage_config_name;          ///< PAI's name of the shared storage; empty: the job protocol mounts it
  std::filesystem::path local_mount_point;  ///< where this machine has mounted it
  std::string container_mount_point;        ///< where the containers see it; absolute
  nlohmann::ordered_json job_protocol;      ///< of version 2, to be filled in; null: one is made
  std::filesystem::path ca_file;            ///< certificates (PEM) to trust instead of the system's
  std::optional<std::int64_t> slots;        ///< jobs at once, of all experiments

  /// `pai:user@host`, with the port where it is not the usual one.
  [[nodiscard]] std::string name() const;
};

using TrainingService = std::variant<LocalService, RemoteService, SlurmService, PaiService>;

/// NNI's names: `local`, `remote`, and `pai` for what it calls openpai too; ours: `slurm`.
[[nodiscard]] std::string platform_of(const TrainingService& service);

/// Canonical form: an object for one service, a list for several; no secrets.
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<TrainingService>& services);

}  // namespace lathe::proto

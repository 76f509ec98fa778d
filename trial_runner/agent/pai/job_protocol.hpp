// What is submitted: a job in PAI's protocol, version 2. It is JSON, which is YAML too.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "pai/pai_settings.hpp"

namespace lathe::agent {

struct JobProtocol {
  nlohmann::ordered_json json;  ///< with everything but its name and the trial's command
  std::string task_role;        ///< the one whose container runs the trial

  /// The protocol of the settings, or a new one. In a given one the trial runs in the only task role, behind that
  /// role's own commands; of several in the one that has no commands. What it does not say is filled in: image,
  /// resources, storage, virtual cluster. An error names what is missing or cannot be.
  [[nodiscard]] static proto::Result<JobProtocol> make(const PaiSettings& settings);

  /// The body of a submission. `script`: its path in the container.
  [[nodiscard]] std::string text(const std::string& job_name, const std::string& script) const;
};

/// The name of a job of this agent: lathe-OWNER-TRIAL-TOKEN, of the characters and the length that PAI allows.
[[nodiscard]] std::string pai_job_name(const std::string& owner, const std::string& trial_id, const std::string& token);
/// How names of all jobs of the owner begin.
[[nodiscard]] std::string pai_job_prefix(const std::string& owner);
/// True for what may be a job's name: only such a text goes into a path.
[[nodiscard]] bool is_pai_job_name(const std::string& name);

}  // namespace lathe::agent

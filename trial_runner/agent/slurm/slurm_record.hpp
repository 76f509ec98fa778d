// What a next agent needs to find a trial's Slurm job again; journalled as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace lathe::agent {

struct SlurmRecord {
  std::string token;                 ///< of the submission; it is in the job's comment; empty: not submitted
  std::optional<std::int64_t> task;  ///< of an array
  std::string job;                   ///< id of the job or of the array; empty: not known (yet)
  std::string cluster;               ///< as --clusters has it; empty: that of the host

  /// As squeue and scancel call it: "123", or "123_4".
  [[nodiscard]] std::string name() const { return task ? job + "_" + std::to_string(*task) : job; }

  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// Fields that are missing or not what they should be stay empty.
  [[nodiscard]] static SlurmRecord from_json(const nlohmann::ordered_json& json);
};

/// The comment of a job: who submitted it, and in which submission.
[[nodiscard]] std::string slurm_comment(const std::string& owner, const std::string& token);

/// The token in a comment; nullopt: the job is not the owner's.
[[nodiscard]] std::optional<std::string> token_of(const std::string& comment, const std::string& owner);

}  // namespace lathe::agent

// What the environment tells a trial: where its files are, and who it is.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "result.hpp"

namespace lathe::trial {

struct Environment {
  std::filesystem::path system_directory;    ///< NNI_SYS_DIR: parameter.cfg and .nni/metrics
  std::filesystem::path output_directory;    ///< NNI_OUTPUT_DIR: compressed.pt, report.json; NNI_SYS_DIR when unset
  std::string trial_job_id;                  ///< NNI_TRIAL_JOB_ID
  std::filesystem::path compression_config;  ///< LATHE_COMPRESSION_CONFIG
  std::optional<std::filesystem::path> search_space;    ///< LATHE_SEARCH_SPACE
  std::optional<std::filesystem::path> baseline;        ///< LATHE_BASELINE
  std::optional<std::filesystem::path> host_directory;  ///< LATHE_HOST_DIRECTORY: shared by the trials of this host
};

/// std::getenv, or a test's own.
using Lookup = std::function<const char*(const char* name)>;

/// Errors name the variable that is missing, or the folder that is not there.
[[nodiscard]] Result<Environment> read_environment(const Lookup& lookup);

}  // namespace lathe::trial

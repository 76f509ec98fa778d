// The files that the agent lays out before a trial starts.
#pragma once

#include <filesystem>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

/// What the process of a trial is given.
struct TrialFolder {
  Descriptor working_directory;
  Descriptor standard_output;
  Descriptor standard_error;
};

[[nodiscard]] std::filesystem::path metrics_folder(const std::filesystem::path& directory);
/// Where a trial with a copy of the code tree runs.
[[nodiscard]] std::filesystem::path code_folder(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path metrics_file(const std::filesystem::path& directory);

/// Makes directory and directory/.nni, writes parameter.cfg in one step, and empties what an earlier attempt in the
/// same folder left (stdout, stderr, metrics). Errors name the path.
[[nodiscard]] proto::Result<TrialFolder> lay_out(const proto::StartTrial& start,
                                                 const std::filesystem::path& working_directory);

}  // namespace lathe::agent

// The shell scripts that are handed to sbatch.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lathe::agent {

struct TrialScript {
  std::string trial_id;
  std::filesystem::path folder;  ///< of the trial
  std::filesystem::path working_directory;
  std::map<std::string, std::string> environment;  ///< names and values without NUL, no '=' in a name
  std::string prologue;
  std::string command;
};

/// The batch script of a trial. It takes the token of its submission as its argument, claims it (claim.hpp), so that
/// no trial runs twice, and leaves the command's exit status in the claim as its last act, whatever ends it.
[[nodiscard]] std::string render(const TrialScript& script);

/// The batch script of an array: task i becomes the script of trial i.
[[nodiscard]] std::string render_array(const std::vector<std::filesystem::path>& scripts, const std::string& token);

}  // namespace lathe::agent

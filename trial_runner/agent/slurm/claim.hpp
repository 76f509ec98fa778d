// The agreement between an agent and a job that it may have lost sight of: a folder in the trial's folder, named after
// the token of the submission, that only one of them can make.
//
// The job makes it as its first act and runs; the agent makes it when it gives a submission up whose fate it cannot
// learn. mkdir is atomic on shared file systems too, so a trial that was told as lost never runs afterwards. In
// the folder the job leaves `job` ("ID HOST") and, as its last act, `exit` (the status of the command as a shell has
// it).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace lathe::agent {

class Claim {
 public:
  Claim(const std::filesystem::path& trial_folder, const std::string& token);

  /// Makes the folder that claims of the trial are made in; false: it cannot be made.
  [[nodiscard]] static bool prepare(const std::filesystem::path& trial_folder);

  /// The job has begun (or was given up).
  [[nodiscard]] bool is_made() const;
  /// The exit status that the job has left, 0…255.
  [[nodiscard]] std::optional<int> exit_status() const;
  /// The id of the job that runs, or ran.
  [[nodiscard]] std::optional<std::int64_t> job_id() const;

  /// True: the job will never run. False: it has begun, or the file system does not answer as it should.
  [[nodiscard]] bool revoke() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace lathe::agent

// What a job and the agent tell each other in the trial's folder, on the storage that both see.
//
// The folder .pai/NAME belongs to one job. Who makes `run` in it first decides: the job, as its first act, that it
// runs; the agent, that it has given the job up. mkdir is atomic on shared file systems too, so a trial that was told
// as lost never runs afterwards, and one that PAI starts again does not run twice. The job leaves `pid` (of the
// command, inside the container), `host`, and as its last act `exit` (the status of the command as a shell has it); the
// agent leaves `terminate` and `kill`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace lathe::agent {

/// Told apart from what a trial itself may say, in the job's own exit code.
inline constexpr int pai_refused_status = 75;   ///< it runs already, or was given up
inline constexpr int pai_readonly_status = 73;  ///< the container cannot write on the storage

class PaiClaim {
 public:
  PaiClaim(const std::filesystem::path& trial_folder, const std::string& job_name);

  /// Makes the folder; false: it cannot be made.
  [[nodiscard]] bool prepare() const;

  struct Signs {
    bool is_made = false;
    bool is_again = false;  ///< PAI has started the job once more
    bool has_exit = false;
  };
  /// Lists the folder, which makes NFS ask the server: it answers from memory where only a name is looked up.
  [[nodiscard]] Signs look() const;

  [[nodiscard]] std::optional<int> exit_status() const;  ///< 0…255
  [[nodiscard]] std::optional<std::int64_t> pid() const;
  [[nodiscard]] std::string host() const;  ///< empty: not known

  /// The job, which looks every second, sends SIGTERM or SIGKILL to all processes of its command. False: the wish
  /// cannot be written.
  [[nodiscard]] bool ask_to_end(int signal) const;

  /// True: the job will never run. False: it has begun, or the file system does not answer as it should.
  [[nodiscard]] bool revoke() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace lathe::agent

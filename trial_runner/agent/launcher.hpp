// Who runs a trial's command: this host's kernel, or somebody to whom it is handed over, as a batch system is.
//
// A Launcher makes Jobs, one for each attempt of a trial. The agent holds to one order, so that whatever dies, each
// side finds out from its own disk what it had done:
//
//   job = launcher.start(…)    the job is prepared, but its command must not run yet
//   journal job.record()       from now on a next agent knows of it
//   job.release()              the effect: the command may run
//   … job.pid() is set         TrialStarted is told; the trial's duration counts from here
//   … job.end() is set         nothing is left that could write; the rest of the metrics is read, TrialExited is told
//   job.forget()               the end is journalled: whatever was kept for adoption may go
//
// An agent that dies on the way leaves the record to its successor, which calls launcher.adopt(record) and goes on
// where that leaves it: a job that was never released must end as lost, one that runs must be found again, and the true
// end of one that has ended must still be known. A job whose agent died before it was journalled must end by itself.
//
// Loop thread only. Nothing here may block the loop for more than a few milliseconds: what takes longer (a command of a
// batch system) runs as a child or on a thread and comes back by `changed`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "trial_folder.hpp"

namespace lathe::agent {

/// How a job ended; the fields of TrialExited with the same names.
struct JobEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string error;  ///< why it could not be run, or was lost
  bool lost = false;  ///< how it ended is unknown, or it never ran though it was journalled; it may be run again
};

/// The command of one trial, wherever it runs. Destroying a Job lets go of it: what runs then runs on.
class Job {
 public:
  /// Something that the job tells about itself (pid, record, end, note) is another than before. Called from the loop,
  /// never from within a call of the job; not any more once the job is destroyed.
  using Changed = std::function<void()>;

  virtual ~Job() = default;

  /// The process, or the number by which its launcher knows the job; nullopt: it does not run yet. Never unset again.
  [[nodiscard]] virtual std::optional<std::int64_t> pid() const = 0;

  /// An object (small, of the launcher's own making) from which `adopt` finds the job again. Journalled anew when it
  /// has changed.
  [[nodiscard]] virtual nlohmann::ordered_json record() const = 0;

  /// Lets the command run. Called once, after the record is on disk; not for an adopted job. A failure to run it is an
  /// end with `error`.
  virtual void release() = 0;

  /// Asks everything that belongs to the job to end (SIGTERM). May be called again, before the job runs too, and when
  /// it has ended.
  virtual void terminate() = 0;

  /// Ends everything that belongs to the job (SIGKILL). Likewise.
  virtual void kill() = 0;

  /// Set once the command has ended and nothing of the job is left that could write. Never unset again.
  [[nodiscard]] virtual const std::optional<JobEnd>& end() const = 0;

  /// The end is journalled; what was kept on disk for `adopt` is to be removed.
  virtual void forget() = 0;

  /// The session that the job's processes on this host belong to; 0: it has none here.
  [[nodiscard]] virtual std::int64_t session() const { return 0; }

  /// How the job is, for people: why it waits, where it runs; empty: there is nothing to say.
  [[nodiscard]] virtual std::string note() const { return {}; }

  /// Its files may be written on another host, so that the kernel of this one does not tell of it.
  [[nodiscard]] virtual bool is_elsewhere() const { return false; }
};

/// What a job is made of.
struct Launch {
  const proto::StartTrial& start;  ///< `launcher` holds this launcher's settings
  /// All that is added to the agent's own environment; the agent's additions are in, its private variables are not.
  std::map<std::string, std::string> environment;
  std::filesystem::path working_directory;  ///< where to run: start.working_directory, or the copy of the code tree
  TrialFolder folder;                       ///< laid out; the same working directory and the streams, open
};

/// A trial of a former agent, as the journal knows it.
struct AdoptedTrial {
  std::string trial_id;
  std::filesystem::path directory;
  nlohmann::ordered_json record;  ///< Job::record
};

class Launcher {
 public:
  virtual ~Launcher() = default;

  /// Prepares the command. An error: it cannot be run, and why; nothing is left of it then.
  [[nodiscard]] virtual proto::Result<std::unique_ptr<Job>> start(Launch launch, Job::Changed changed) = 0;

  /// The job of a former agent. Whatever became of it is told by its `end`, a damaged record too (as lost).
  [[nodiscard]] virtual std::unique_ptr<Job> adopt(const AdoptedTrial& trial, Job::Changed changed) = 0;

  /// The trial's end is journalled. Ids of other launchers' trials are ignored.
  virtual void trial_ended(const std::string&) {}

  /// All trials that the journal knew have been adopted: what else was kept on disk belongs to nobody.
  virtual void forget_strangers() {}
};

}  // namespace lathe::agent

// A trial whose command is a job of somebody to whom it was handed over: what does not depend on who that is.
//
// Such a job runs on another host, in its own time. What it tells about itself is a note, its beginning, and its end;
// what it is asked is to end, which is passed on by a desk that speaks for all jobs (SlurmDesk, PaiDesk).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "launcher.hpp"

namespace lathe::agent {

class HandedJob : public Job {
 public:
  [[nodiscard]] std::optional<std::int64_t> pid() const final { return pid_; }
  void terminate() final;
  void kill() final;
  [[nodiscard]] const std::optional<JobEnd>& end() const final { return end_; }
  /// The trial's folder holds what is kept, and goes when the trial's folder goes.
  void forget() final {}
  [[nodiscard]] std::string note() const final { return note_; }
  [[nodiscard]] bool is_elsewhere() const final { return true; }

 protected:
  explicit HandedJob(Changed changed) : changed_(std::move(changed)) {}

  /// The desk is to look at asked().
  virtual void end_soon() = 0;
  /// For people who look into the trial's folder: where the note is kept, too.
  [[nodiscard]] virtual std::filesystem::path note_file() const = 0;

  /// The last signal by which it is to end; none: it is not.
  [[nodiscard]] std::optional<int> asked() const { return asked_ != 0 ? std::optional(asked_) : std::nullopt; }
  /// That signal, if it was not passed on yet; 0: there is nothing to pass on.
  [[nodiscard]] int to_pass_on() const { return asked_ != passed_on_ ? asked_ : 0; }
  void passed_on(int signal) { passed_on_ = signal; }

  [[nodiscard]] bool has_begun() const { return pid_.has_value(); }
  void begin(std::int64_t pid) { pid_ = pid; }
  /// False: it is the same as before.
  bool set_note(std::string note);
  /// `name`: by which it is known; empty: it was never handed over. Tells of the change.
  void end_as(const std::string& name, JobEnd end);
  /// The end of one that is over before anybody is told of it.
  void begin_ended(JobEnd end) { end_ = std::move(end); }
  /// Tells the owner, who may take the job down.
  void changed();

 private:
  void ask_to_end(int signal);

  Changed changed_;
  std::optional<std::int64_t> pid_;
  std::optional<JobEnd> end_;
  std::string note_;
  int asked_ = 0;  ///< SIGTERM or SIGKILL
  int passed_on_ = 0;
};

}  // namespace lathe::agent

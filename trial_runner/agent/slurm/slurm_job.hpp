// A trial whose command is a job of a Slurm cluster.
//
// No job asks Slurm anything by itself: the desk, which is there for all of them, submits, lists and cancels, and tells
// each job what it has learnt.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "handed_job.hpp"
#include "slurm/claim.hpp"
#include "slurm/job_rows.hpp"
#include "slurm/slurm_record.hpp"

namespace lathe::agent {

class SlurmJob;

class SlurmDesk {
 public:
  /// The job exists from now on, until `leave`. Returns its number here.
  [[nodiscard]] virtual std::uint64_t enter(SlurmJob& job) = 0;
  virtual void leave(const SlurmJob& job) = 0;
  virtual void submit_soon(const SlurmJob& job) = 0;
  /// Some job wants to be cancelled.
  virtual void cancel_soon() = 0;
  /// In whose name jobs are submitted (slurm_comment).
  [[nodiscard]] virtual const std::string& owner() const = 0;
  /// Whether there may be an accounting database to ask.
  [[nodiscard]] virtual bool has_accounting() const = 0;

 protected:
  ~SlurmDesk() = default;
};

/// What a job is submitted with.
struct SlurmOrder {
  std::string trial_id;
  std::filesystem::path folder;  ///< of the trial
  std::filesystem::path script;
  std::vector<std::string> directives;
  std::string clusters;  ///< among the directives
};

class SlurmJob final : public HandedJob {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// How long files of a shared file system may be late behind what Slurm tells.
  static constexpr std::chrono::seconds file_patience{10};
  /// How long a job may be unknown to Slurm, without an exit status, before it is lost.
  static constexpr std::chrono::seconds absence_patience{60};

  SlurmJob(SlurmDesk& desk, SlurmOrder order, Changed changed);
  /// Of a former agent. `folder`: the trial's.
  SlurmJob(SlurmDesk& desk, SlurmRecord record, std::filesystem::path folder, Changed changed);
  ~SlurmJob() override;
  SlurmJob(const SlurmJob&) = delete;
  SlurmJob& operator=(const SlurmJob&) = delete;

  [[nodiscard]] nlohmann::ordered_json record() const override { return record_.to_json(); }
  void release() override;

  // ---- for the desk. After a call that may tell of a change the job may be gone. ------------------------------------

  enum class Phase {
    New,         ///< not released
    Waiting,     ///< for sbatch
    Submitting,  ///< sbatch runs
    Uncertain,   ///< whether Slurm has it
    Submitted,
    Ended,
  };
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const SlurmOrder& order() const { return order_; }
  [[nodiscard]] const SlurmRecord& known() const { return record_; }
  [[nodiscard]] bool has_started() const { return has_begun(); }

  /// It is about to be submitted under the token. Journalled when this returns.
  void submitting(const std::string& token, std::optional<std::int64_t> task);
  void submitted(const std::string& job, const std::string& cluster);
  void refused(const std::string& why);
  /// It was not taken, and is to be submitted again.
  void put_back(const std::string& why);
  void uncertain(const std::string& why);
  /// Its end was asked for before it was submitted.
  void withdraw();

  /// All jobs that Slurm knows on the cluster.
  void observe(const JobListing& listing, Time now);
  /// What the accounting database knows; null: nothing.
  void observe_account(const JobRow* row);
  [[nodiscard]] bool wants_account() const { return wants_account_; }
  /// Slurm cannot be asked.
  void trouble(const std::string& why);

  /// Its files tell that it has begun or ended since the last call.
  [[nodiscard]] bool has_news();

  /// The signal by which it is to end and which was not sent yet; 0: none.
  [[nodiscard]] int signal_to_send() const { return to_pass_on(); }
  void signal_sent(int signal) { passed_on(signal); }

 private:
  void end_soon() override { desk_.cancel_soon(); }
  [[nodiscard]] std::filesystem::path note_file() const override { return order_.folder / "slurm"; }
  void settle(const JobListing& listing);
  void take(const JobRow& row, Time now);
  void take_end(const JobRow& row, Time now);
  void take_waiting(const JobRow& row);
  void miss(Time now);
  void end_with(JobEnd end);
  [[nodiscard]] Claim claim() const { return {order_.folder, record_.token}; }

  SlurmDesk& desk_;
  SlurmOrder order_;
  SlurmRecord record_;
  const bool is_adopted_;
  Phase phase_ = Phase::New;
  bool was_claimed_ = false;  ///< though Slurm said that it waits
  bool heard_begin_ = false;
  bool heard_end_ = false;
  bool wants_account_ = false;
  bool has_asked_account_ = false;
  std::optional<JobRow> cancelled_;   ///< waits for the accounting database to tell by whom
  std::optional<Time> over_since_;    ///< its row tells of an end, its files do not yet
  std::optional<Time> absent_since_;  ///< Slurm does not know it
  std::uint64_t number_;              ///< the last member: all else is there when the desk gets to know the job
};

}  // namespace lathe::agent

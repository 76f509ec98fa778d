// A trial whose command is a job of an OpenPAI cluster.
//
// No job asks PAI anything by itself: the desk, which is there for all jobs of one PAI, submits, lists and stops, and
// tells each job what it has learnt. The trial's end is read from its folder as soon as it stands there, whether PAI
// answers or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "handed_job.hpp"
#include "pai/pai_answers.hpp"
#include "pai/pai_claim.hpp"
#include "pai/pai_record.hpp"
#include "pai/pai_times.hpp"

namespace lathe::agent {

class PaiJob;

class PaiDesk {
 public:
  /// The job exists from now on, until `leave`. Returns its number here.
  [[nodiscard]] virtual std::uint64_t enter(PaiJob& job) = 0;
  virtual void leave(const PaiJob& job) = 0;
  virtual void submit_soon(const PaiJob& job) = 0;
  /// Some job wants to be ended.
  virtual void stop_soon() = 0;
  [[nodiscard]] virtual const PaiTimes& times() const = 0;

 protected:
  ~PaiDesk() = default;
};

/// What a job is submitted with.
struct PaiOrder {
  std::filesystem::path folder;  ///< of the trial
  std::string name;              ///< that the job will have
};

/// In the trial's folder: the body of its submission, which a next agent may have to send again.
[[nodiscard]] std::filesystem::path pai_protocol_file(const std::filesystem::path& trial_folder);

class PaiJob final : public HandedJob {
 public:
  using Time = std::chrono::steady_clock::time_point;

  PaiJob(PaiDesk& desk, PaiAccess access, PaiOrder order, Changed changed);
  /// Of a former agent. `folder`: the trial's.
  PaiJob(PaiDesk& desk, PaiRecord record, std::filesystem::path folder, Changed changed);
  ~PaiJob() override;
  PaiJob(const PaiJob&) = delete;
  PaiJob& operator=(const PaiJob&) = delete;

  [[nodiscard]] nlohmann::ordered_json record() const override { return record_.to_json(); }
  void release() override;

  // ---- for the desk. After a call that may tell of a change the job may be gone. ------------------------------------

  enum class Phase {
    New,         ///< not released
    Waiting,     ///< to be submitted, or submitted again: under its name PAI takes it once
    Submitting,  ///< the request is under way
    Submitted,
    Ended,
  };
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const PaiOrder& order() const { return order_; }

  /// It is about to be submitted. Journalled when this returns.
  void submitting();
  void submitted();
  void refused(const std::string& why);
  /// PAI has not taken it, or has not said so; it is to be submitted again.
  void put_back(const std::string& why);

  /// As PAI lists it; null: it does not. `cluster_use` tells how full its virtual cluster is.
  void observe(const PaiRow* row, const std::string& cluster_use, Time now);
  void observe_detail(const PaiDetail& detail, Time now);
  /// PAI has been asked for this job and does not know it.
  void unknown(Time now);
  /// It is to be asked for by name.
  [[nodiscard]] bool wants_detail() const { return wants_detail_; }
  /// PAI cannot be asked.
  void trouble(const std::string& why);

  /// Reads what the job has left in its folder.
  void look(Time now);

  /// Ends it as far as its folder goes. True: PAI has to be asked to stop it.
  [[nodiscard]] bool needs_stop();
  void stop_failed() { passed_on(0); }

 private:
  void end_soon() override { desk_.stop_soon(); }
  [[nodiscard]] std::filesystem::path note_file() const override { return order_.folder / "pai"; }
  void take_waiting(const PaiRow& row, const std::string& cluster_use);
  [[nodiscard]] bool may_be_late(Time now);
  /// False: it is the same as before.
  bool set_running_note();
  void end_with(JobEnd end);
  [[nodiscard]] PaiClaim claim() const { return {order_.folder, order_.name}; }

  PaiDesk& desk_;
  PaiOrder order_;
  PaiRecord record_;
  Phase phase_ = Phase::New;
  bool wants_detail_ = false;
  std::optional<Time> begun_since_;   ///< it has begun, but not said its process
  std::optional<Time> over_since_;    ///< PAI tells of an end, its files do not yet
  std::optional<Time> absent_since_;  ///< PAI does not know it
  std::uint64_t number_;              ///< the last member: all else is there when the desk gets to know the job
};

}  // namespace lathe::agent

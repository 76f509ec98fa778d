#include "slurm/slurm_job.hpp"

#include <signal.h>

#include <utility>

#include <fmt/format.h>

#include "slurm/slurm_end.hpp"

namespace lathe::agent {

SlurmJob::SlurmJob(SlurmDesk& desk, SlurmOrder order, Changed changed)
    : HandedJob(std::move(changed)),
      desk_(desk),
      order_(std::move(order)),
      is_adopted_(false),
      number_(desk.enter(*this)) {
  record_.cluster = order_.clusters;
}

SlurmJob::SlurmJob(SlurmDesk& desk, SlurmRecord record, std::filesystem::path folder, Changed changed)
    : HandedJob(std::move(changed)),
      desk_(desk),
      record_(std::move(record)),
      is_adopted_(true),
      phase_(record_.job.empty() ? Phase::Uncertain : Phase::Submitted),
      number_(desk.enter(*this)) {
  order_.folder = std::move(folder);
  if (!record_.token.empty()) return;
  phase_ = Phase::Ended;
  begin_ended(lost_end("the agent was killed before it submitted the trial to Slurm"));
}

SlurmJob::~SlurmJob() {
  desk_.leave(*this);
}

void SlurmJob::release() {
  phase_ = Phase::Waiting;
  desk_.submit_soon(*this);
}

// ---- submitting -----------------------------------------------------------------------------------------------------

void SlurmJob::submitting(const std::string& token, std::optional<std::int64_t> task) {
  phase_ = Phase::Submitting;
  record_.token = token;
  record_.task = task;
  changed();
}

void SlurmJob::submitted(const std::string& job, const std::string& cluster) {
  phase_ = Phase::Submitted;
  record_.job = job;
  if (!cluster.empty()) record_.cluster = cluster;
  set_note(fmt::format("job {}: submitted", record_.name()));
  if (asked()) desk_.cancel_soon();
  changed();
}

void SlurmJob::refused(const std::string& why) {
  JobEnd end;
  end.error = "Slurm refuses the job: " + why;
  end_with(std::move(end));
}

void SlurmJob::put_back(const std::string& why) {
  phase_ = Phase::Waiting;
  record_.token.clear();
  record_.task.reset();
  set_note("not submitted yet: " + why);
  if (asked()) desk_.cancel_soon();
  desk_.submit_soon(*this);
  changed();
}

void SlurmJob::uncertain(const std::string& why) {
  phase_ = Phase::Uncertain;
  set_note("it is not known yet whether Slurm has taken the job: " + why);
  changed();
}

void SlurmJob::withdraw() {
  JobEnd end;
  end.signal = asked();
  end_with(std::move(end));
}

/// Slurm lists the submission, or the job itself has left its number; else nobody has it, and nobody will run it.
void SlurmJob::settle(const JobListing& listing) {
  if (const JobRow* row = listing.find_comment(slurm_comment(desk_.owner(), record_.token))) {
    const bool is_one_of_many = record_.cluster.find(',') != std::string::npos;
    return submitted(row->name.substr(0, row->name.find('_')), is_one_of_many ? row->cluster : "");
  }
  if (const auto job = claim().job_id()) {
    record_.task.reset();
    return submitted(std::to_string(*job), "");
  }
  if (!claim().revoke()) return;
  if (!is_adopted_) return put_back("Slurm did not take it");
  end_with(lost_end("the agent was killed while it submitted the trial to Slurm"));
}

// ---- what Slurm tells -----------------------------------------------------------------------------------------------

void SlurmJob::observe(const JobListing& listing, Time now) {
  if (phase_ == Phase::Uncertain) return settle(listing);
  if (phase_ != Phase::Submitted || cancelled_) return;
  const JobRow* row = listing.find(record_.name());
  if (row == nullptr) return miss(now);
  absent_since_.reset();
  take(*row, now);
}

void SlurmJob::take(const JobRow& row, Time now) {
  if (row.is_over()) return take_end(row, now);
  if (!row.has_started()) return take_waiting(row);
  const char* const on = row.nodes.empty() ? "" : " on ";
  const bool is_news = set_note(fmt::format("job {}: {}{}{}", record_.name(), row.state, on, row.nodes));
  const bool begins = !has_begun();
  if (begins) begin(row.id);
  if (is_news || begins) changed();
}

/// A job that Slurm has put back into its queue would be refused by its own claim: it must not run twice under one id.
void SlurmJob::take_waiting(const JobRow& row) {
  if (has_begun() || was_claimed_) {
    return end_with(lost_end(fmt::format("Slurm has put job {} back into its queue", record_.name())));
  }
  was_claimed_ = claim().is_made();
  const std::string why = row.reason.empty() ? row.state : fmt::format("{}: {}", row.state, row.reason);
  if (set_note(fmt::format("job {}: {}", record_.name(), why))) changed();
}

void SlurmJob::take_end(const JobRow& row, Time now) {
  const auto status = claim().exit_status();
  const bool is_plain = row.base_state() == "COMPLETED" || row.base_state() == "FAILED";
  if (!over_since_) over_since_ = now;
  const bool may_be_late = is_plain && row.reason != "JobLaunchFailure" && now - *over_since_ < file_patience;
  if (!status && may_be_late) return;
  if (!has_begun() && (status || claim().is_made())) begin(row.id);
  if (row.base_state() == "CANCELLED" && !asked() && desk_.has_accounting() && !has_asked_account_) {
    cancelled_ = row;
    wants_account_ = true;
    return;
  }
  end_with(end_of(row, status, asked()));
}

void SlurmJob::miss(Time now) {
  if (const auto status = claim().exit_status()) return end_with(end_of_status(*status));
  if (!absent_since_) absent_since_ = now;
  if (desk_.has_accounting() && !has_asked_account_) wants_account_ = true;
  if (now - *absent_since_ < absence_patience) return;
  (void)claim().revoke();
  end_with(lost_end(fmt::format("Slurm no longer knows job {}, and it has left no exit status", record_.name())));
}

/// A job that is missing is asked for again at each listing; who has cancelled one is asked once.
void SlurmJob::observe_account(const JobRow* row) {
  wants_account_ = false;
  const auto status = claim().exit_status();
  if (cancelled_) {
    has_asked_account_ = true;
    JobRow end = *std::exchange(cancelled_, std::nullopt);
    if (row != nullptr && row->base_state() == "CANCELLED") end.state = row->state;
    return end_with(end_of(end, status, asked()));
  }
  if (phase_ == Phase::Submitted && absent_since_ && row != nullptr && row->is_over()) {
    end_with(end_of(*row, status, asked()));
  }
}

void SlurmJob::trouble(const std::string& why) {
  if (phase_ != Phase::Submitted && phase_ != Phase::Uncertain) return;
  const std::string job = record_.job.empty() ? "" : fmt::format("job {}: ", record_.name());
  if (set_note(fmt::format("{}Slurm cannot be asked: {}", job, why))) changed();
}

bool SlurmJob::has_news() {
  if (phase_ != Phase::Submitted) return false;
  if (!heard_begin_ && claim().is_made()) return heard_begin_ = true;
  if (heard_begin_ && !heard_end_ && claim().exit_status()) return heard_end_ = true;
  return false;
}

// ---- telling --------------------------------------------------------------------------------------------------------

void SlurmJob::end_with(JobEnd end) {
  phase_ = Phase::Ended;
  end_as(record_.job.empty() ? "" : record_.name(), std::move(end));
}

}  // namespace lathe::agent

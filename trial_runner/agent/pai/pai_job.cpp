#include "pai/pai_job.hpp"

#include <signal.h>

#include <utility>

#include <fmt/format.h>

#include "pai/pai_end.hpp"

namespace lathe::agent {

std::filesystem::path pai_protocol_file(const std::filesystem::path& trial_folder) {
  return trial_folder / "pai.json";
}

PaiJob::PaiJob(PaiDesk& desk, PaiAccess access, PaiOrder order, Changed changed)
    : HandedJob(std::move(changed)), desk_(desk), order_(std::move(order)), number_(desk.enter(*this)) {
  record_.access = std::move(access);
}

PaiJob::PaiJob(PaiDesk& desk, PaiRecord record, std::filesystem::path folder, Changed changed)
    : HandedJob(std::move(changed)),
      desk_(desk),
      order_{std::move(folder), record.name},
      record_(std::move(record)),
      phase_(record_.is_submitted ? Phase::Submitted : Phase::Waiting),
      number_(desk.enter(*this)) {
  if (record_.name.empty()) {
    phase_ = Phase::Ended;
    begin_ended(pai_lost_end("the agent was killed before it submitted the trial to PAI"));
  } else if (!record_.is_submitted) {
    desk_.submit_soon(*this);
  }
}

PaiJob::~PaiJob() {
  desk_.leave(*this);
}

void PaiJob::release() {
  phase_ = Phase::Waiting;
  desk_.submit_soon(*this);
}

// ---- submitting -----------------------------------------------------------------------------------------------------

void PaiJob::submitting() {
  phase_ = Phase::Submitting;
  if (std::exchange(record_.name, order_.name) != order_.name) changed();
}

void PaiJob::submitted() {
  phase_ = Phase::Submitted;
  record_.is_submitted = true;
  set_note(fmt::format("job {}: submitted", order_.name));
  if (asked()) desk_.stop_soon();
  changed();
}

void PaiJob::refused(const std::string& why) {
  JobEnd end;
  end.error = "PAI refuses the job: " + why;
  end_with(std::move(end));
}

void PaiJob::put_back(const std::string& why) {
  phase_ = Phase::Waiting;
  desk_.submit_soon(*this);
  if (asked()) desk_.stop_soon();
  if (set_note("not submitted yet: " + why)) changed();
}

// ---- what PAI tells -------------------------------------------------------------------------------------------------

void PaiJob::observe(const PaiRow* row, const std::string& cluster_use, Time now) {
  if (phase_ != Phase::Submitted) return;
  wants_detail_ = row == nullptr || row->is_over();
  if (row != nullptr && !row->is_over()) {
    absent_since_.reset();
    return take_waiting(*row, cluster_use);
  }
  look(now);
}

/// The list may be behind what the trial's folder tells.
void PaiJob::take_waiting(const PaiRow& row, const std::string& cluster_use) {
  over_since_.reset();
  std::string text = row.state;
  if (has_begun() && (row.state == "WAITING" || row.state == "RUNNING")) {
    if (set_running_note()) changed();
    return;
  }
  if (row.state == "WAITING") {
    const std::string use = cluster_use.empty() ? "" : "; virtual cluster " + row.virtual_cluster + " " + cluster_use;
    text += (row.sub_state.empty() ? "" : " (" + row.sub_state + ")") + use;
  } else if (row.state == "RUNNING") {
    text += ", its container is about to begin";
  }
  if (set_note(fmt::format("job {}: {}", order_.name, text))) changed();
}

void PaiJob::observe_detail(const PaiDetail& detail, Time now) {
  if (phase_ != Phase::Submitted) return;
  wants_detail_ = false;
  absent_since_.reset();
  if (!detail.row.is_over()) return take_waiting(detail.row, {});
  if (const auto status = claim().exit_status()) return end_with(pai_end_of_status(*status));
  if (may_be_late(now)) {
    wants_detail_ = true;
    return;
  }
  end_with(pai_end_of(detail, asked()));
}

/// A trial that began has still to be seen ending; one that did not has nothing to tell.
bool PaiJob::may_be_late(Time now) {
  constexpr int hurry = 5;
  if (!over_since_) over_since_ = now;
  if (!claim().look().is_made && asked()) return false;
  const auto patience = asked() ? desk_.times().file_patience / hurry : desk_.times().file_patience;
  return now - *over_since_ < patience;
}

void PaiJob::unknown(Time now) {
  if (phase_ != Phase::Submitted) return;
  if (const auto status = claim().exit_status()) return end_with(pai_end_of_status(*status));
  if (!absent_since_) absent_since_ = now;
  if (now - *absent_since_ < desk_.times().absence_patience) return;
  (void)claim().revoke();
  JobEnd end = pai_lost_end(fmt::format("PAI no longer knows job {}, and it has left no exit status", order_.name));
  if (asked()) end = {{}, asked(), {}, false};
  end_with(std::move(end));
}

void PaiJob::trouble(const std::string& why) {
  if (phase_ == Phase::Submitted && set_note(fmt::format("job {}: {}", order_.name, why))) changed();
}

// ---- what its files tell --------------------------------------------------------------------------------------------

void PaiJob::look(Time now) {
  if (phase_ == Phase::Ended || phase_ == Phase::New || record_.name.empty()) return;
  const PaiClaim::Signs signs = claim().look();
  if (!signs.is_made) return;
  if (signs.has_exit) {
    if (const auto status = claim().exit_status()) return end_with(pai_end_of_status(*status));
  }
  if (signs.is_again) {
    return end_with(
        pai_lost_end(fmt::format("PAI has started job {} a second time: its first run is lost", order_.name)));
  }
  if (has_begun()) return;
  if (!begun_since_) begun_since_ = now;
  const auto pid = claim().pid();
  if (!pid && now - *begun_since_ < desk_.times().file_patience) return;
  begin(pid.value_or(0));
  set_running_note();
  changed();
}

// ---- ending it ------------------------------------------------------------------------------------------------------

/// A submission whose fate is open is given up by the claim: then it cannot run, whatever PAI does with it.
bool PaiJob::needs_stop() {
  const int signal = to_pass_on();
  if (signal == 0) return false;
  if (phase_ == Phase::Waiting) {
    if (record_.name.empty() || claim().revoke()) end_with({{}, signal, {}, false});
    return false;
  }
  if (phase_ != Phase::Submitted) return false;
  passed_on(signal);
  const bool is_told = claim().look().is_made && claim().ask_to_end(signal);
  return signal == SIGKILL || !is_told;
}

// ---- telling --------------------------------------------------------------------------------------------------------

bool PaiJob::set_running_note() {
  const std::string host = claim().host();
  return set_note(fmt::format("job {}: RUNNING{}{}", order_.name, host.empty() ? "" : " on ", host));
}

void PaiJob::end_with(JobEnd end) {
  wants_detail_ = false;
  phase_ = Phase::Ended;
  end_as(record_.name, std::move(end));
}

}  // namespace lathe::agent

#include "slurm/slurm_queue.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "slurm/job_rows.hpp"
#include "slurm/slurm_record.hpp"
#include "slurm/submission.hpp"

namespace lathe::agent {
namespace {

using Phase = SlurmJob::Phase;
using std::chrono::milliseconds;

constexpr std::size_t most_names = 500;  ///< in one command

bool is_with_slurm(const SlurmJob& job) {
  return job.phase() == Phase::Submitted || job.phase() == Phase::Uncertain;
}

std::string on_cluster(const std::string& cluster) {
  return cluster.empty() ? "" : " --clusters=" + shell_quoted(cluster);
}

}  // namespace

SlurmQueue::SlurmQueue(boost::asio::io_context& io, SlurmCommands& commands, SlurmJobs& jobs, std::string owner,
                       SlurmTimes times, spdlog::logger& log)
    : commands_(commands),
      jobs_(jobs),
      owner_(std::move(owner)),
      times_(times),
      log_(log),
      poll_timer_(io),
      cancel_timer_(io),
      file_timer_(io),
      pace_(times.shortest_poll, times.longest_poll),
      retry_(times.first_retry) {}

// ---- asking ---------------------------------------------------------------------------------------------------------

void SlurmQueue::poll_soon() {
  pace_.news();
  if (asking_ > 0) {
    is_soon_ = true;
  } else if (!has_failed_ || !is_armed_) {
    arm(std::min(times_.files, times_.shortest_poll));
  }
  if (!std::exchange(is_watching_files_, true)) watch_files();
}

void SlurmQueue::look_for_strangers() {
  seeks_strangers_ = true;
  poll_soon();
}

void SlurmQueue::arm(milliseconds wait) {
  is_armed_ = true;
  poll_timer_.expires_after(wait);
  poll_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_armed_ = false;
    poll();
  });
}

std::set<std::string> SlurmQueue::clusters() const {
  std::set<std::string> clusters;
  if (seeks_strangers_) clusters.insert("");
  jobs_.for_each([&](const SlurmJob& job) {
    if (is_with_slurm(job)) clusters.insert(job.known().cluster);
  });
  return clusters;
}

void SlurmQueue::poll() {
  const auto asked = clusters();
  has_failed_ = false;
  is_soon_ = false;
  asking_ = asked.size();
  for (const std::string& cluster : asked) ask(cluster);
}

void SlurmQueue::ask(const std::string& cluster) {
  commands_.run(listing_command(cluster), times_.patience, [this, cluster](const ProgramOutput& run) {
    if (run.exit_code == 0) {
      take_listing(cluster, run);
    } else {
      take_failure(cluster, complaint(run));
    }
    if (--asking_ == 0) answered();
  });
}

void SlurmQueue::take_listing(const std::string& cluster, const ProgramOutput& run) {
  const JobListing listing(parse_listing(run.output));
  if (trouble_.erase(cluster) > 0) log_.info("Slurm answers again");
  if (cluster.empty()) seeks_strangers_ = false;
  if (is_news(cluster, listing)) {
    pace_.news();
  } else {
    pace_.no_news();
  }
  const auto now = Clock::now();
  jobs_.for_each([&](SlurmJob& job) {
    if (is_with_slurm(job) && job.known().cluster == cluster) job.observe(listing, now);
  });
  cancel_strangers(cluster, listing);
  ask_account(cluster);
}

void SlurmQueue::take_failure(const std::string& cluster, const std::string& why) {
  has_failed_ = true;
  if (std::exchange(trouble_[cluster], why) != why) log_.warn("Slurm cannot be asked for its jobs: {}", why);
  jobs_.for_each([&](SlurmJob& job) {
    if (job.known().cluster == cluster) job.trouble(why);
  });
}

/// A search for strangers alone is not worth a second try: the next trial makes one.
void SlurmQueue::answered() {
  if (has_failed_) seeks_strangers_ = false;
  if (clusters().empty()) return;
  cancel_soon();
  if (has_failed_) {
    arm(retry_);
    retry_ = std::min(2 * retry_, times_.last_retry);
    return;
  }
  retry_ = times_.first_retry;
  arm(is_soon_ ? std::min(times_.files, times_.shortest_poll) : pace_.wait());
}

bool SlurmQueue::is_news(const std::string& cluster, const JobListing& listing) {
  std::string states;
  for (const JobRow& row : listing.rows()) {
    if (token_of(row.comment, owner_)) states += row.name + ' ' + row.state + '\n';
  }
  return std::exchange(last_[cluster], states) != states;
}

/// Those of a submission that was given up, or of an agent whose journal is lost.
void SlurmQueue::cancel_strangers(const std::string& cluster, const JobListing& listing) {
  std::set<std::string> tokens;
  jobs_.for_each([&](const SlurmJob& job) { tokens.insert(job.known().token); });
  std::set<std::string> strangers;
  for (const JobRow& row : listing.rows()) {
    const auto token = token_of(row.comment, owner_);
    if (token && !row.is_over() && row.base_state() != "COMPLETING" && !tokens.contains(*token)) {
      strangers.insert(row.name);
    }
  }
  if (strangers.empty()) return;
  std::string command = "exec scancel --quiet" + on_cluster(cluster);
  for (const std::string& name : strangers) command += " " + shell_quoted(name);
  log_.warn("cancelling {} Slurm jobs that belong to no trial", strangers.size());
  commands_.run(command, times_.patience, [](const ProgramOutput&) {});
}

void SlurmQueue::ask_account(const std::string& cluster) {
  std::set<std::string> names;
  jobs_.for_each([&](const SlurmJob& job) {
    if (job.wants_account() && job.known().cluster == cluster && names.size() < most_names) {
      names.insert(job.known().name());
    }
  });
  if (names.empty()) return;
  commands_.run(account_command(cluster, names), times_.patience, [this, cluster, names](const ProgramOutput& run) {
    // Without a database sacct says so each time, as it does where it is not installed.
    if (run.exit_code && *run.exit_code != 0) has_accounting_ = false;
    const JobListing listing(run.exit_code == 0 ? parse_account(run.output) : std::vector<JobRow>());
    jobs_.for_each([&](SlurmJob& job) {
      if (!job.wants_account() || job.known().cluster != cluster || !names.contains(job.known().name())) return;
      job.observe_account(listing.find(job.known().name()));
    });
  });
}

// ---- cancelling -----------------------------------------------------------------------------------------------------

void SlurmQueue::cancel_soon() {
  if (std::exchange(is_cancelling_soon_, true)) return;
  cancel_timer_.expires_after(times_.gather);
  cancel_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_cancelling_soon_ = false;
    cancel();
  });
}

void SlurmQueue::cancel() {
  std::set<std::string> clusters;
  jobs_.for_each([&](SlurmJob& job) {
    if (job.signal_to_send() == 0) return;
    if (job.phase() == Phase::Waiting) return job.withdraw();
    if (job.phase() == Phase::Submitted) clusters.insert(job.known().cluster);
  });
  for (const std::string& cluster : clusters) {
    send_cancels(cluster, true);
    send_cancels(cluster, false);
  }
}

/// SIGTERM goes to all processes of a job that runs, those of its batch script too. For one that waits, and for
/// SIGKILL, a plain scancel is right: it ends the job, with SIGTERM and after the cluster's KillWait with SIGKILL.
void SlurmQueue::send_cancels(const std::string& cluster, bool by_term) {
  std::vector<std::uint64_t> numbers;
  std::string names;
  jobs_.for_each([&](SlurmJob& job) {
    const int signal = job.signal_to_send();
    const bool is_by_term = signal == SIGTERM && job.has_started();
    if (signal == 0 || job.phase() != Phase::Submitted || job.known().cluster != cluster) return;
    if (is_by_term != by_term || numbers.size() == most_names) return;
    job.signal_sent(signal);
    numbers.push_back(job.number());
    names += " " + shell_quoted(job.known().name());
  });
  if (numbers.empty()) return;
  const std::string options = by_term ? " --signal=TERM --full" : "";
  commands_.run("exec scancel --quiet" + options + on_cluster(cluster) + names, times_.patience,
                [this, numbers](const ProgramOutput& run) {
                  // Each listing tries again what is left to end.
                  if (run.exit_code != 0) log_.warn("scancel: {}", complaint(run));
                  for (const std::uint64_t number : numbers) {
                    SlurmJob* job = jobs_.find(number);
                    if (run.exit_code != 0 && job != nullptr) job->signal_sent(0);
                  }
                  poll_soon();
                });
}

// ---- files ----------------------------------------------------------------------------------------------------------

void SlurmQueue::watch_files() {
  file_timer_.expires_after(times_.files);
  file_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    bool has_news = false;
    jobs_.for_each([&](SlurmJob& job) { has_news = job.has_news() || has_news; });
    is_watching_files_ = !clusters().empty();
    if (is_watching_files_) watch_files();
    if (has_news) poll_soon();
  });
}

}  // namespace lathe::agent

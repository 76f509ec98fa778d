#include "pai/pai_watch.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace lathe::agent {
namespace {

using Phase = PaiJob::Phase;
using std::chrono::milliseconds;

constexpr std::chrono::seconds cluster_use_age{30};
constexpr int first_success = 200;
constexpr int last_success = 299;

bool is_success(const HttpAnswer& answer) {
  return answer.status >= first_success && answer.status <= last_success;
}

}  // namespace

PaiWatch::PaiWatch(boost::asio::io_context& io, PaiClient& client, PaiJobs& jobs, std::string prefix, PaiTimes times,
                   spdlog::logger& log)
    : client_(client),
      jobs_(jobs),
      prefix_(std::move(prefix)),
      times_(times),
      log_(log),
      poll_timer_(io),
      stop_timer_(io),
      file_timer_(io),
      pace_(times.shortest_poll, times.longest_poll),
      retry_(times.first_retry) {}

// ---- asking ---------------------------------------------------------------------------------------------------------

void PaiWatch::poll_soon() {
  pace_.news();
  if (is_asking_) {
    is_soon_ = true;
  } else if (trouble_.empty() || !is_armed_) {
    arm(std::min(times_.files, times_.shortest_poll));
  }
  if (!std::exchange(is_watching_files_, true)) watch_files();
}

void PaiWatch::arm(milliseconds wait) {
  is_armed_ = true;
  poll_timer_.expires_after(wait);
  poll_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_armed_ = false;
    poll();
  });
}

bool PaiWatch::has_submitted() const {
  bool has = false;
  jobs_.for_each([&](const PaiJob& job) { has = has || job.phase() == Phase::Submitted; });
  return has;
}

void PaiWatch::poll() {
  if (is_asking_ || !has_submitted()) return;
  is_asking_ = true;
  is_soon_ = false;
  client_.list(prefix_, [this](const HttpAnswer& answer) {
    is_asking_ = false;
    take_listing(answer);
    rearm();
  });
}

void PaiWatch::take_listing(const HttpAnswer& answer) {
  if (!is_success(answer)) return take_failure(refusal_of(answer, client_.access()).message);
  const auto listing = parse_pai_listing(answer.body);
  if (!listing) return take_failure(client_.access().url + " answers with something else than a list of jobs");
  if (!std::exchange(trouble_, {}).empty()) log_.info("PAI answers again");
  retry_ = times_.first_retry;
  if (is_news(*listing)) {
    pace_.news();
  } else {
    pace_.no_news();
  }
  const auto now = Clock::now();
  jobs_.for_each([&](PaiJob& job) {
    const auto row = listing->find(job.order().name);
    if (row == listing->end()) return job.observe(nullptr, {}, now);
    const auto cluster = clusters_.find(row->second.virtual_cluster);
    job.observe(&row->second, cluster != clusters_.end() ? cluster->second.text : std::string(), now);
  });
  ask_details();
  ask_cluster_use(*listing);
  stop_strangers(*listing);
  stop_soon();
}

void PaiWatch::take_failure(const std::string& why) {
  if (std::exchange(trouble_, why) != why) log_.warn("PAI cannot be asked for its jobs: {}", why);
  jobs_.for_each([&](PaiJob& job) { job.trouble(why); });
  stop_soon();
}

void PaiWatch::rearm() {
  if (!has_submitted()) return;
  if (!trouble_.empty()) {
    arm(retry_);
    retry_ = std::min(2 * retry_, times_.last_retry);
  } else {
    arm(is_soon_ ? std::min(times_.files, times_.shortest_poll) : pace_.wait());
  }
}

bool PaiWatch::is_news(const PaiListing& listing) {
  std::string text;
  jobs_.for_each([&](const PaiJob& job) {
    const auto row = listing.find(job.order().name);
    if (row != listing.end()) text += row->first + " " + row->second.state + " " + row->second.sub_state + "\n";
  });
  return std::exchange(last_, text) != text;
}

// ---- asking for more ------------------------------------------------------------------------------------------------

void PaiWatch::ask_details() {
  jobs_.for_each([&](PaiJob& job) {
    if (!job.wants_detail()) return;
    client_.detail(job.order().name,
                   [this, number = job.number()](const HttpAnswer& answer) { take_detail(number, answer); });
  });
}

void PaiWatch::take_detail(std::uint64_t number, const HttpAnswer& answer) {
  PaiJob* job = jobs_.find(number);
  if (job == nullptr) return;
  if (is_success(answer)) {
    if (const auto detail = parse_pai_detail(answer.body)) return job->observe_detail(*detail, Clock::now());
    return job->trouble(client_.access().url + " answers with something else than a job");
  }
  const PaiRefusal refusal = refusal_of(answer, client_.access());
  if (refusal.is_unknown_job) return job->unknown(Clock::now());
  job->trouble(refusal.message);
}

/// Why jobs wait is seldom in their own state: mostly their virtual cluster is full.
void PaiWatch::ask_cluster_use(const PaiListing& listing) {
  std::set<std::string> names;
  jobs_.for_each([&](const PaiJob& job) {
    const auto row = listing.find(job.order().name);
    const bool waits = row != listing.end() && row->second.state == "WAITING";
    if (waits && !row->second.virtual_cluster.empty()) names.insert(row->second.virtual_cluster);
  });
  const auto now = Clock::now();
  for (const std::string& name : names) {
    ClusterUse& use = clusters_[name];
    if (use.asked != Clock::time_point() && now - use.asked < cluster_use_age) continue;
    use.asked = now;
    client_.virtual_cluster(name, [this, name](const HttpAnswer& answer) {
      clusters_[name].text = is_success(answer) ? parse_cluster_use(answer.body) : std::string();
    });
  }
}

// ---- ending ---------------------------------------------------------------------------------------------------------

/// One whose trial has told its end a moment ago is about to end in PAI too: it is given until the next listing.
void PaiWatch::stop_strangers(const PaiListing& listing) {
  std::set<std::string> ours;
  jobs_.for_each([&](const PaiJob& job) {
    if (job.phase() != Phase::Ended) ours.insert(job.order().name);
  });
  std::set<std::string> strangers;
  for (const auto& [name, row] : listing) {
    const bool is_running = row.state == "WAITING" || row.state == "RUNNING";
    if (is_running && name.starts_with(prefix_) && !ours.contains(name)) strangers.insert(name);
  }
  for (const std::string& name : strangers) {
    if (!strangers_.contains(name)) continue;
    log_.warn("job {} runs in PAI for no trial: it is stopped", name);
    client_.stop(name, [](const HttpAnswer&) {});
  }
  strangers_ = std::move(strangers);
}

/// Wishes of the same moment are carried out together; never from within a call of a job.
void PaiWatch::stop_soon() {
  if (std::exchange(is_stopping_soon_, true)) return;
  stop_timer_.expires_after(milliseconds(0));
  stop_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_stopping_soon_ = false;
    stop();
  });
}

void PaiWatch::stop() {
  jobs_.for_each([&](PaiJob& job) {
    if (job.needs_stop()) send_stop(job);
  });
}

void PaiWatch::send_stop(PaiJob& job) {
  client_.stop(job.order().name, [this, number = job.number()](const HttpAnswer& answer) {
    PaiJob* asked = jobs_.find(number);
    if (asked == nullptr) return;
    if (is_success(answer)) return poll_soon();
    const PaiRefusal refusal = refusal_of(answer, client_.access());
    log_.warn("job {} cannot be stopped: {}", asked->order().name, refusal.message);
    // Each listing, and each that fails, tries again.
    asked->stop_failed();
    if (refusal.is_unknown_job) return asked->unknown(Clock::now());
    asked->trouble(refusal.message);
  });
}

// ---- files ----------------------------------------------------------------------------------------------------------

void PaiWatch::watch_files() {
  file_timer_.expires_after(times_.files);
  file_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    const auto now = Clock::now();
    jobs_.for_each([&](PaiJob& job) { job.look(now); });
    is_watching_files_ = false;
    jobs_.for_each([&](const PaiJob& job) { is_watching_files_ = is_watching_files_ || job.phase() != Phase::Ended; });
    if (is_watching_files_) watch_files();
  });
}

}  // namespace lathe::agent

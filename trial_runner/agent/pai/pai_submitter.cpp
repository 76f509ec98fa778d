#include "pai/pai_submitter.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "pai/pai_answers.hpp"

namespace lathe::agent {

PaiSubmitter::PaiSubmitter(boost::asio::io_context& io, PaiClient& client, PaiJobs& jobs, PaiTimes times,
                           spdlog::logger& log, std::function<void()> submitted)
    : client_(client),
      jobs_(jobs),
      times_(times),
      log_(log),
      submitted_(std::move(submitted)),
      timer_(io),
      retry_(times.first_retry) {}

void PaiSubmitter::add(std::uint64_t number) {
  waiting_.push_back(number);
  if (!is_armed_ && !is_sending_) arm(std::chrono::milliseconds(0));
}

void PaiSubmitter::arm(std::chrono::milliseconds wait) {
  is_armed_ = true;
  timer_.expires_after(wait);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_armed_ = false;
    submit();
  });
}

/// The next that still waits: others have been ended meanwhile.
void PaiSubmitter::submit() {
  while (!waiting_.empty() && !is_sending_) {
    const std::uint64_t number = waiting_.front();
    waiting_.pop_front();
    PaiJob* job = jobs_.find(number);
    if (job != nullptr && job->phase() == PaiJob::Phase::Waiting) send(*job);
  }
}

void PaiSubmitter::send(PaiJob& job) {
  const std::uint64_t number = job.number();
  const PaiOrder order = job.order();
  std::ifstream file(pai_protocol_file(order.folder));
  const std::string protocol{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (protocol.empty() || !PaiClaim(order.folder, order.name).prepare()) {
    return job.refused("the trial's folder " + order.folder.string() + " cannot be used");
  }
  job.submitting();
  if (jobs_.find(number) == nullptr) return;
  is_sending_ = true;
  client_.submit(protocol, [this, number](const HttpAnswer& answer) { take(number, answer); });
}

void PaiSubmitter::take(std::uint64_t number, const HttpAnswer& answer) {
  constexpr int first_success = 200;
  constexpr int last_success = 299;
  is_sending_ = false;
  PaiJob* job = jobs_.find(number);
  const bool is_success = answer.status >= first_success && answer.status <= last_success;
  const PaiRefusal refusal = is_success ? PaiRefusal{} : refusal_of(answer, client_.access());
  if (is_success || !refusal.may_pass) {
    retry_ = times_.first_retry;
    trouble_.clear();
  }
  // The name is random: who has it already is this job, of an earlier try whose answer was lost.
  if (job != nullptr && job->phase() == PaiJob::Phase::Submitting) {
    if (is_success || refusal.is_taken_name) {
      job->submitted();
      submitted_();
    } else {
      take_failure(*job, refusal);
    }
  }
  if (refusal.may_pass && !is_success) {
    arm(retry_);
    retry_ = std::min(2 * retry_, times_.last_retry);
  } else {
    submit();
  }
}

void PaiSubmitter::take_failure(PaiJob& job, const PaiRefusal& refusal) {
  if (!refusal.may_pass) return job.refused(refusal.message);
  if (std::exchange(trouble_, refusal.message) != refusal.message) log_.warn("no job can be submitted: {}", trouble_);
  is_armed_ = true;  // so that the job, which asks to be submitted again, waits for the pause that follows
  job.put_back(refusal.message);
}

}  // namespace lathe::agent

#include "slurm/submitter.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "random_id.hpp"
#include "slurm/slurm_record.hpp"
#include "slurm/trial_script.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t token_bytes = 8;

/// "EXPERIMENT/TRIAL" of "EXPERIMENT/TRIAL/ATTEMPT".
std::string without_attempt(const std::string& trial_id) {
  const auto first = trial_id.find('/');
  const auto second = first == std::string::npos ? first : trial_id.find('/', first + 1);
  return trial_id.substr(0, second);
}

std::string experiment_of(const std::string& trial_id) {
  return trial_id.substr(0, trial_id.find('/'));
}

bool go_together(const SlurmOrder& one, const SlurmOrder& other) {
  return one.directives == other.directives && experiment_of(one.trial_id) == experiment_of(other.trial_id);
}

}  // namespace

Submitter::Submitter(boost::asio::io_context& io, SlurmCommands& commands, SlurmJobs& jobs, std::string owner,
                     SlurmTimes times, spdlog::logger& log, std::function<void()> answered)
    : commands_(commands),
      jobs_(jobs),
      owner_(std::move(owner)),
      times_(times),
      log_(log),
      answered_(std::move(answered)),
      timer_(io),
      retry_(times.first_retry) {}

void Submitter::add(std::uint64_t number) {
  waiting_.insert(number);
  if (!is_submitting_ && !is_waiting_) arm(times_.gather);
}

void Submitter::arm(std::chrono::milliseconds wait) {
  is_waiting_ = true;
  timer_.expires_after(wait);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_waiting_ = false;
    submit_next();
  });
}

void Submitter::submit_next() {
  std::erase_if(waiting_, [this](std::uint64_t number) {
    const SlurmJob* job = jobs_.find(number);
    return job == nullptr || job->phase() != SlurmJob::Phase::Waiting;
  });
  const Numbers batch = next_batch();
  if (batch.empty()) return;
  for (const std::uint64_t number : batch) waiting_.erase(number);
  submit(batch);
}

Submitter::Numbers Submitter::next_batch() const {
  Numbers batch;
  for (const std::uint64_t number : waiting_) {
    const bool fits = batch.empty() || go_together(jobs_.find(batch.front())->order(), jobs_.find(number)->order());
    if (fits && batch.size() < largest_array_) batch.push_back(number);
  }
  return batch;
}

/// The token is journalled before sbatch runs, so that a next agent finds what this one has submitted.
void Submitter::submit(const Numbers& batch) {
  const std::string token = random_id(token_bytes);
  const auto submission = lay_out(batch, token);
  if (!submission) {
    for_batch(batch, [&](SlurmJob& job) { job.refused(submission.error().message); });
    return arm(times_.gather);
  }
  std::int64_t task = 0;
  for_batch(batch, [&](SlurmJob& job) {
    job.submitting(token, submission->tasks > 0 ? std::optional(task++) : std::nullopt);
  });
  is_submitting_ = true;
  commands_.run(submit_command(*submission), times_.patience, [this, batch](const ProgramOutput& run) {
    is_submitting_ = false;
    take_answer(batch, run);
    answered_();
    if (!is_waiting_ && !waiting_.empty()) arm(std::chrono::milliseconds(0));
  });
}

proto::Result<Submission> Submitter::lay_out(const Numbers& batch, const std::string& token) const {
  const SlurmOrder& first = jobs_.find(batch.front())->order();
  Submission submission;
  submission.directives = first.directives;
  submission.comment = slurm_comment(owner_, token);
  submission.folder = first.folder;
  submission.token = token;
  if (batch.size() == 1) {
    submission.job_name = "lathe:" + without_attempt(first.trial_id);
    submission.output = percent_doubled(first.folder / "stdout");
    submission.error_output = percent_doubled(first.folder / "stderr");
    submission.script = first.script;
    return submission;
  }
  submission.job_name = "lathe:" + experiment_of(first.trial_id);
  submission.tasks = batch.size();
  if (const auto laid_out = lay_out_array(batch, submission); !laid_out) {
    return tl::unexpected<proto::Error>(laid_out.error());
  }
  return submission;
}

/// One pattern has to name the output of all tasks: it names links into the trials' folders.
proto::Result<void> Submitter::lay_out_array(const Numbers& batch, Submission& submission) const {
  const fs::path base = submission.folder / ".slurm" / ("array-" + submission.token);
  std::error_code error;
  fs::create_directory(base, error);
  std::vector<fs::path> scripts;
  for (std::size_t task = 0; task < batch.size() && !error; ++task) {
    const SlurmOrder& order = jobs_.find(batch[task])->order();
    scripts.push_back(order.script);
    fs::create_symlink(order.folder / "stdout", base / fmt::format("stdout-{}", task), error);
    if (!error) fs::create_symlink(order.folder / "stderr", base / fmt::format("stderr-{}", task), error);
  }
  if (error) return proto::fail("cannot write in " + base.string() + ": " + error.message());
  submission.output = percent_doubled(base / "stdout-") + "%a";
  submission.error_output = percent_doubled(base / "stderr-") + "%a";
  submission.script = base / "script";
  std::ofstream script(submission.script);
  script << render_array(scripts, submission.token);
  script.close();
  return script ? proto::Result<void>() : proto::fail("cannot write " + submission.script.string());
}

void Submitter::take_answer(const Numbers& batch, const ProgramOutput& run) {
  const SubmitAnswer answer = read_answer(run);
  if (const auto* refused = std::get_if<Refused>(&answer)) return take(batch, *refused);
  const auto& submitted = std::get<Submitted>(answer);
  retry_ = times_.first_retry;
  log_.info("Slurm job {}: {} trials", submitted.job, batch.size());
  for_batch(batch, [&](SlurmJob& job) { job.submitted(submitted.job, submitted.cluster); });
}

void Submitter::take(const Numbers& batch, const Refused& refused) {
  log_.warn("sbatch of {} trials: {}", batch.size(), refused.message);
  const bool is_array = batch.size() > 1;
  switch (refused.why) {
    case Refused::Why::Uncertain:
      return for_batch(batch, [&](SlurmJob& job) { job.uncertain(refused.message); });
    case Refused::Why::Busy:
      if (!is_waiting_) arm(retry_);
      retry_ = std::min(2 * retry_, times_.last_retry);
      return for_batch(batch, [&](SlurmJob& job) { job.put_back(refused.message); });
    case Refused::Why::NoArrays:
      if (is_array) {
        largest_array_ = batch.size() > 2 ? batch.size() / 2 : 1;
        return for_batch(batch, [&](SlurmJob& job) { job.put_back(refused.message); });
      }
      [[fallthrough]];
    case Refused::Why::Final:
      return for_batch(batch, [&](SlurmJob& job) { job.refused(refused.message); });
  }
}

void Submitter::for_batch(const Numbers& batch, const std::function<void(SlurmJob&)>& function) const {
  for (const std::uint64_t number : batch) {
    if (SlurmJob* job = jobs_.find(number)) function(*job);
  }
}

}  // namespace lathe::agent

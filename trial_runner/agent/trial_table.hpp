// The trials of this host: starts them, takes in what they write, reports their ends; adopts those of a former agent.
//
// Loop thread only, but for the copies of code trees, which a thread of its own makes.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/logger.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <lathe/proto/frames.hpp>

#include "event_log.hpp"
#include "launchers.hpp"
#include "metric_poll.hpp"
#include "metric_watch.hpp"
#include "trial.hpp"

namespace lathe::agent {

class TrialTable final : private TrialOwner {
 public:
  using Note = std::function<void(const proto::TrialNote&)>;
  using Ended = std::function<void(const std::string& trial_id)>;

  /// `emptied` is called whenever the last trial has gone, `note` when a job has something to say about itself, `ended`
  /// when a trial runs no more.
  TrialTable(boost::asio::io_context& io, EventLog& events, Launchers& launchers, std::filesystem::path host_directory,
             spdlog::logger& log, std::function<void()> emptied, Note note, Ended ended);
  ~TrialTable();
  TrialTable(const TrialTable&) = delete;
  TrialTable& operator=(const TrialTable&) = delete;

  /// Takes over the trials that the journal knows. Once, before anything else.
  void adopt();

  /// Ignored for a trial that is known. A failure is reported as the trial's end.
  void start(const proto::StartTrial& start);
  void kill(const std::string& trial_id, const std::string& reason, std::chrono::milliseconds grace);
  void kill_all(const std::string& reason, std::chrono::milliseconds grace);

  /// Reads on where it was held up, as the event log was full.
  void advance_all();

  [[nodiscard]] bool is_empty() const { return trials_.empty() && copies_.empty(); }
  /// Trials whose job exists.
  [[nodiscard]] std::vector<std::string> running() const;
  /// What the jobs say about themselves now.
  [[nodiscard]] std::vector<proto::TrialNote> notes() const;
  /// None: it does not run.
  [[nodiscard]] std::optional<std::filesystem::path> directory_of(const std::string& trial_id) const;
  /// Trials by the session that their processes of this host belong to.
  [[nodiscard]] std::map<std::int64_t, std::string> sessions() const;

 private:
  /// A code tree that is being copied for a trial.
  struct Copy {
    std::atomic<bool> is_stopped = false;
    std::optional<std::string> killed_by;
    bool is_dropped = false;  ///< nobody is to hear of it
  };

  void copy_code(const proto::StartTrial& start);
  void copy_ended(const proto::StartTrial& start, const Copy& copy, const proto::Result<void>& result);
  void launch(const proto::StartTrial& start, const std::filesystem::path& working_directory);
  [[nodiscard]] proto::Result<void> try_launch(const proto::StartTrial& start,
                                               const std::filesystem::path& working_directory);
  void adopt(const RunningTrial& running);
  void report_failure(const std::string& trial_id, const std::string& error, const std::string& killed_by = {});

  void journal(const RunningTrial& trial) override { events_.update(trial); }
  void record(const std::vector<NewEvent>& events) override { events_.record(events); }
  void note(const std::string& trial_id, const std::string& text) override { note_({trial_id, text}); }
  void advance(const std::string& trial_id) override;
  void finish(Trial& trial, std::vector<NewEvent> events);
  void watch(const Trial& trial);
  void unwatch(const std::string& trial_id);

  boost::asio::io_context& io_;
  EventLog& events_;
  Launchers& launchers_;
  std::filesystem::path host_directory_;
  spdlog::logger& log_;
  std::function<void()> emptied_;
  Note note_;
  Ended ended_;
  MetricWatch watch_;
  MetricPoll poll_;
  std::map<std::string, std::shared_ptr<Trial>> trials_;
  std::map<std::string, std::shared_ptr<Copy>> copies_;
  bool has_complained_ = false;  ///< of a want of inotify watches
  boost::asio::thread_pool copying_{1};
};

}  // namespace lathe::agent

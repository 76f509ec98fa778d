// What the agent must not forget, in one append-only file of JSON lines: events that the daemon has not acknowledged,
// and trials that run.
//
//   {"spool":1,"state_id":"9f…","next_sequence":1,"acknowledged":0}   the first line
//   {"running":{"trial_id":…,"launcher":"process","job":{…},"directory":…,"metrics_end":0,…}}
//   {"sequence":7,"type":"trial_metric",…,"metrics_end":213}          an event as the daemon gets it, and how far into
//                                                                     the trial's metrics file it reaches
//   {"acknowledged":7}
//
// A trial runs from its first "running" line to its "trial_exited"; a later such line replaces it. One file, because
// then one write is one truth: an event is in it exactly if the offset behind its metric is, so that a next agent
// neither loses a metric nor sends it twice. Every change is one write() and no fsync(): what was written survives the
// agent, and a machine that goes down takes the processes of trials with it anyway. A last line that is torn is dropped
// when the file is opened.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/frames.hpp>
#include <lathe/proto/result.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

/// A trial whose job exists, with all that a next agent needs to find the job again, to end it when its time is up and
/// to read the rest of its metrics.
struct RunningTrial {
  std::string trial_id;
  std::string launcher;        ///< kind
  nlohmann::ordered_json job;  ///< Job::record
  std::string directory;
  std::uint64_t metrics_end = 0;               ///< bytes of .nni/metrics whose frames are events already
  std::optional<std::int64_t> max_duration_s;  ///< StartTrial.max_duration_s
  std::int64_t started_ms = 0;                 ///< Unix time of TrialStarted; 0: it does not run yet
  std::string killed_by;                       ///< KillTrial.reason
  std::int64_t kill_at_ms = 0;  ///< Unix time at which the grace time of that ends; 0: it is not being killed

  friend bool operator==(const RunningTrial&, const RunningTrial&) = default;
};

/// An event to append; `metrics_end` comes with a TrialMetric.
struct NewEvent {
  proto::AgentEvent event;
  std::optional<std::uint64_t> metrics_end;
};

struct SpooledEvent {
  std::uint64_t sequence = 0;
  std::string json;  ///< as inside a frame
};

class Spool {
 public:
  /// Opens or makes the file. A file that is not a spool is put aside as `spool.damaged` and a new state begins.
  [[nodiscard]] static proto::Result<Spool> open(const std::filesystem::path& file);

  [[nodiscard]] const std::string& state_id() const { return state_id_; }
  [[nodiscard]] std::uint64_t last_sequence() const { return next_sequence_ - 1; }
  /// Events from the oldest that is not acknowledged; sequences have no gaps.
  [[nodiscard]] const std::deque<SpooledEvent>& unacknowledged() const { return events_; }
  /// Of the last event that is on disk. Later ones must not be sent: a next agent would give their numbers again.
  [[nodiscard]] std::uint64_t last_written() const { return last_written_; }
  [[nodiscard]] const std::map<std::string, RunningTrial>& running() const { return running_; }
  /// True when the trial runs, or its end is not acknowledged.
  [[nodiscard]] bool knows(const std::string& trial_id) const;
  /// All such trials.
  [[nodiscard]] std::vector<std::string> known() const;
  /// Size of the unacknowledged events, in bytes.
  [[nodiscard]] std::size_t backlog() const { return backlog_; }

  /// Journals a job that is about to run, and its TrialStarted if it has a process already. When this fails nothing is
  /// remembered.
  [[nodiscard]] proto::Result<void> start(const RunningTrial& trial, const std::optional<proto::TrialStarted>& started);

  /// Journals what has become of a trial that runs; `metrics_end` and `started_ms` stay as the events have made them.
  /// Others are ignored. When the disk refuses, the line stays in memory until `flush` succeeds.
  void update(RunningTrial trial);

  /// Appends events in one write. When the disk refuses they stay in memory until `flush` succeeds.
  void append(const std::vector<NewEvent>& events);

  /// Drops events up to `sequence`; beyond the last written one it is taken as that.
  void acknowledge(std::uint64_t sequence);

  /// Writes what the disk refused before; an error says why it still does.
  [[nodiscard]] proto::Result<void> flush();
  [[nodiscard]] bool is_waiting_for_disk() const { return !unwritten_.empty(); }

  /// Rewrites the file with what is still of use. An error leaves the old file in place.
  [[nodiscard]] proto::Result<void> compact();

 private:
  explicit Spool(std::filesystem::path file) : file_(std::move(file)) {}

  [[nodiscard]] proto::Result<void> begin_new_state();
  [[nodiscard]] proto::Result<void> load(std::string_view text);
  void replay(std::string_view line);
  void apply(const proto::SequencedEvent& event, std::string json, std::optional<std::uint64_t> metrics_end);
  [[nodiscard]] std::string compacted_text() const;
  void drop_acknowledged();
  void cut_torn_end();

  std::filesystem::path file_;
  Descriptor descriptor_;
  std::string state_id_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t last_written_ = 0;
  std::deque<SpooledEvent> events_;
  std::size_t backlog_ = 0;
  std::map<std::string, RunningTrial> running_;
  std::map<std::string, std::uint64_t> ended_;  ///< trials whose end is not acknowledged: sequence of their TrialExited
  std::size_t file_size_ = 0;                   ///< of whole lines
  std::string unwritten_;                       ///< lines that the disk refused
};

}  // namespace lathe::agent

// The rows of the database as values. What the REST answers show is made from these.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/status.hpp>
#include <lathe/proto/trial_files.hpp>

namespace lathe::manager {

using Milliseconds = std::int64_t;  ///< Unix time or a span, in milliseconds

/// The measurement of the original model that a compression experiment makes before its first trial.
enum class PreparationState { None, Waiting, Running, Done, Failed };

/// Trials by status, indexed by proto::TrialStatus.
using TrialCounts = std::array<std::int64_t, proto::all_trial_statuses.size()>;

struct ExperimentRecord {
  std::string id;  ///< 8 characters of a-z0-9
  std::string name;
  proto::ExperimentStatus status = proto::ExperimentStatus::Initialized;
  nlohmann::ordered_json config;  ///< canonical form, proto::to_json(ExperimentConfig)
  Milliseconds created_ms = 0;
  std::optional<Milliseconds> start_ms;  ///< first time in RUNNING
  std::optional<Milliseconds> end_ms;    ///< set in DONE, STOPPED and ERROR
  Milliseconds run_ms = 0;               ///< time spent running so far; what maxExperimentDuration limits
  std::int64_t next_sequence = 0;        ///< of the next trial
  PreparationState preparation = PreparationState::None;
  nlohmann::ordered_json baseline;  ///< the original model's metrics; null until prepared
  std::string error;                ///< why it is in ERROR
  std::string obstacle;             ///< why nothing of it can go on now; not in the database
  std::vector<std::string> warnings;
  std::optional<std::string> best_trial;  ///< id of the trial with the best metric so far
  std::optional<double> best_metric;
  TrialCounts counts{};
  std::string directory;  ///< absolute
};

/// An attempt that was not the last: the trial was run again.
struct AttemptRecord {
  std::int64_t attempt = 0;
  std::string host;
  std::optional<Milliseconds> start_ms;
  Milliseconds end_ms = 0;
  std::string reason;  ///< why it was run again
};

struct TrialRecord {
  std::string experiment_id;
  std::string id;             ///< 5 characters, a letter first
  std::int64_t sequence = 0;  ///< counts up from 0 in its experiment
  proto::TrialStatus status = proto::TrialStatus::Waiting;
  std::string source = "algorithm";  ///< algorithm, customized or resumed
  nlohmann::ordered_json parameters;
  std::int64_t attempt = 0;  ///< 0 at first; one more each time it had to be run again
  std::string wait_reason;   ///< why a WAITING trial waits, or a RUNNING one in the queue of a cluster
  Milliseconds submit_ms = 0;
  std::optional<Milliseconds> start_ms;
  std::optional<Milliseconds> end_ms;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string reason;       ///< why it ended other than by exit code 0
  std::string stderr_tail;  ///< last lines of stderr of a failed trial
  std::string note;         ///< what is odd about its reports, e.g. a final metric that came twice
  std::optional<std::int64_t> pid;
  std::string host;                     ///< where the present attempt runs, or ran last; empty: nowhere yet
  std::vector<std::int64_t> gpus;       ///< of that host, given to it
  std::optional<double> metric;         ///< default of the final metric; none: nothing usable was reported
  nlohmann::ordered_json final_metric;  ///< as reported; null: nothing
  std::int64_t intermediate_count = 0;
  std::string directory;                ///< absolute
  std::vector<AttemptRecord> attempts;  ///< the earlier ones; only where one trial is asked for
};

/// An earlier attempt together with its trial's number.
struct TrialAttempt {
  std::int64_t trial = 0;
  AttemptRecord record;
};

struct MetricRecord {
  std::string trial_id;
  proto::MetricType type = proto::MetricType::Periodical;
  std::int64_t sequence = 0;
  Milliseconds time_ms = 0;
  nlohmann::ordered_json value;
};

/// One page of a list. `next_cursor` is empty on the last page; it stays valid while rows are added.
template <class Record>
struct Page {
  std::vector<Record> items;
  std::string next_cursor;
};

enum class TrialSort { SequenceAscending, SequenceDescending, MetricAscending, MetricDescending };

struct TrialQuery {
  std::string experiment_id;
  std::vector<proto::TrialStatus> statuses;       ///< empty: all
  TrialSort sort = TrialSort::SequenceAscending;  ///< trials without a metric come last in either metric order
  std::int64_t limit = 100;                       ///< 1..1000
  std::string cursor;                             ///< next_cursor of the page before, or empty
};

enum class ExperimentSort { Newest, Oldest, Name, Status };  ///< the last two: then the newest

struct ExperimentQuery {
  std::string search;    ///< part of the name or the id, whatever the case of ASCII letters; empty: all
  std::string platform;  ///< of one of its training services; empty: all
  ExperimentSort sort = ExperimentSort::Newest;
  std::vector<proto::ExperimentStatus> statuses;  ///< empty: all
  std::int64_t limit = 100;
  std::string cursor;
};

struct MetricQuery {
  std::string experiment_id;
  std::optional<std::string> trial_id;  ///< none: of every trial
  std::optional<proto::MetricType> type;
  std::int64_t limit = 1000;
  std::string cursor;
};

}  // namespace lathe::manager

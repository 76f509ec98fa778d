// Everything that can be asked of the experiments: what the REST handlers call and tests drive without HTTP.
//
// Loop thread only. Each call returns after its effect is committed to the database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include <lathe/proto/experiment_config.hpp>
#include <lathe/proto/result.hpp>

#include "experiment/events.hpp"
#include "hosts/host_status.hpp"
#include "storage/records.hpp"

namespace lathe::manager {

/// Why a call was refused; the REST status follows from the kind.
struct ServiceError {
  enum class Kind {
    Invalid,      ///< 422: the request says something wrong; `errors` name the fields
    NotFound,     ///< 404
    Conflict,     ///< 409: not in this state (cancel an ended trial, delete a running experiment, limit reached, …)
    Unavailable,  ///< 503: disk full, shutting down; trying again later may work
  };
  Kind kind = Kind::Invalid;
  proto::Errors errors;
};

template <class T>
using ServiceResult = tl::expected<T, ServiceError>;

template <class T>
using Answer = boost::asio::awaitable<ServiceResult<T>>;

/// New values of what may change while an experiment lives; unset: stays. In the two durations and max_trial_number the
/// inner optional none removes the limit.
struct ExperimentChange {
  std::optional<std::int64_t> trial_concurrency;
  std::optional<std::optional<std::int64_t>> max_trial_number;
  std::optional<std::optional<std::chrono::seconds>> max_experiment_duration;
  std::optional<std::optional<std::chrono::seconds>> max_trial_duration;
  std::optional<proto::SearchSpace> search_space;
};

/// Asks for text that a running trial has written.
struct LogRequest {
  std::string experiment_id;
  std::string trial_id;
  std::string name;                     ///< one of proto::log_names
  std::optional<std::int64_t> attempt;  ///< that `offset` counts in; any other one is begun at 0
  std::uint64_t offset = 0;
  std::optional<std::int64_t> tail;  ///< so many lines before the end instead
  bool waits = false;                ///< for some seconds, when there is nothing at the offset yet
};

/// A piece of it.
struct LogPiece {
  enum class Where {
    Here,         ///< its file is in the trial's folder on this machine, as far as there is one
    There,        ///< on the trial's host, which gave this piece
    Unreachable,  ///< on a host that cannot be asked now, or the trial is just ending: ask again
  };
  Where where = Where::Here;
  std::int64_t attempt = 0;
  std::uint64_t offset = 0;  ///< of the first byte
  std::uint64_t size = 0;    ///< of the file at present
  std::string bytes{};
  std::string why{};  ///< of Unreachable
};

/// What there is to say of the daemon as a whole.
struct DaemonState {
  bool draining = false;            ///< nothing new is started; what runs goes on
  std::int64_t running_trials = 0;  ///< of all experiments, preparations included
};

class ExperimentService {
 public:
  virtual ~ExperimentService() = default;

  [[nodiscard]] virtual Answer<ExperimentRecord> create(proto::ExperimentConfig config) = 0;
  [[nodiscard]] virtual Answer<ExperimentRecord> show(std::string experiment_id) = 0;
  [[nodiscard]] virtual Answer<Page<ExperimentRecord>> list(ExperimentQuery query) = 0;
  /// A limit raised on a DONE experiment sets it RUNNING again.
  [[nodiscard]] virtual Answer<ExperimentRecord> change(std::string experiment_id, ExperimentChange change) = 0;
  /// Ends its trials; answers once it is STOPPING (the trials may take their grace time). Idempotent.
  [[nodiscard]] virtual Answer<ExperimentRecord> stop(std::string experiment_id) = 0;
  /// STOPPED, ERROR or DONE → RUNNING; trials that were cut off by the stop are not run again.
  [[nodiscard]] virtual Answer<ExperimentRecord> resume(std::string experiment_id) = 0;
  /// Removes the records and the folder; refused while trials run.
  [[nodiscard]] virtual Answer<bool> remove(std::string experiment_id) = 0;

  [[nodiscard]] virtual Answer<Page<TrialRecord>> list_trials(TrialQuery query) = 0;
  [[nodiscard]] virtual Answer<TrialRecord> show_trial(std::string experiment_id, std::string trial_id) = 0;
  /// Ends a waiting or running trial as USER_CANCELED; answers when that is recorded as wanted.
  [[nodiscard]] virtual Answer<TrialRecord> cancel_trial(std::string experiment_id, std::string trial_id) = 0;
  /// Queues a trial with parameters given by hand (source `customized`).
  [[nodiscard]] virtual Answer<TrialRecord> add_trial(std::string experiment_id, nlohmann::ordered_json parameters) = 0;
  [[nodiscard]] virtual Answer<Page<MetricRecord>> list_metrics(MetricQuery query) = 0;
  /// Text of a trial that runs where this machine's disk is not; of any other trial it lies here.
  [[nodiscard]] virtual Answer<LogPiece> read_log(LogRequest) { co_return LogPiece{}; }

  // ---- many trials at once ----
  /// Calls `each` for every trial by its sequence number, on a thread of the database's pool; `parameters` and the
  /// other fields that TrialTable takes are there, no others.
  [[nodiscard]] virtual Answer<bool> scan_trials(std::string experiment_id,
                                                 std::function<void(const TrialRecord&)> each) = 0;
  /// Those that there are, in the order of the list.
  [[nodiscard]] virtual Answer<std::vector<TrialRecord>> find_trials(std::string experiment_id,
                                                                     std::vector<std::int64_t> sequences) = 0;
  /// The attempts after which trials were run again, by trial and attempt; at most `limit`, the latest trials' ones.
  [[nodiscard]] virtual Answer<std::vector<TrialAttempt>> list_attempts(std::string experiment_id,
                                                                        std::int64_t limit) = 0;
  /// Calls `each` for the periodical metrics of these trials, in the order of the list and of their own numbers, on a
  /// thread of the database's pool.
  [[nodiscard]] virtual Answer<bool> scan_metrics(
      std::string experiment_id, std::vector<std::int64_t> sequences,
      std::function<void(std::int64_t trial, const MetricRecord&)> each) = 0;

  [[nodiscard]] virtual DaemonState daemon_state() const = 0;
  /// Begins or ends draining. It outlives the daemon, and answers when that is on disk. Idempotent.
  [[nodiscard]] virtual Answer<DaemonState> set_draining(bool draining) = 0;

  // ---- hosts: those that loaded experiments use, and this machine ----
  [[nodiscard]] virtual std::vector<HostStatus> list_hosts() const = 0;
  [[nodiscard]] virtual Answer<HostStatus> show_host(std::string host) = 0;
  /// Begins or ends draining a host: what runs there goes on, nothing new comes. Outlives the daemon. Idempotent.
  [[nodiscard]] virtual Answer<HostStatus> drain_host(std::string host, bool drained) = 0;
  /// Looks step by step at what trials need there; takes at most about half a minute. A machine that no experiment uses
  /// is tested, too, by the name that it would have: `user@host:port`.
  [[nodiscard]] virtual Answer<HostTest> test_host(std::string host) = 0;

  [[nodiscard]] virtual EventBus& events() = 0;
};

/// The REST forms (camelCase); also the `data` of events. Defined in openapi.yaml.
[[nodiscard]] nlohmann::ordered_json to_json(const ExperimentRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const AttemptRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const TrialRecord& record);
[[nodiscard]] nlohmann::ordered_json to_json(const MetricRecord& record);

}  // namespace lathe::manager

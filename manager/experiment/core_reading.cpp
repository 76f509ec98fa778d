// What goes over many trials of an experiment. Read only.
#include <utility>

#include "experiment/core.hpp"
#include "experiment/requests.hpp"
#include "storage/attempt_table.hpp"
#include "storage/experiment_table.hpp"
#include "storage/metric_table.hpp"
#include "storage/trial_scan.hpp"

namespace lathe::manager {

namespace {

/// What a query found; none: there is no such experiment.
template <class T>
using Found = StorageResult<std::optional<T>>;

template <class T>
ServiceResult<T> answer(Found<T> found, const std::string& id) {
  if (!found) return refuse(found.error());
  if (!*found) return no_experiment(id);
  return std::move(**found);
}

}  // namespace

Answer<bool> ExperimentManager::Core::scan_trials(std::string id, std::function<void(const TrialRecord&)> each) {
  auto query = [id, each = std::move(each)](Connection& connection) -> Found<bool> {
    if (!has_experiment(connection, id)) return std::nullopt;
    manager::scan_trials(connection, id, each);
    return true;
  };
  Found<bool> found = co_await database_->read(std::move(query));
  co_return answer(std::move(found), id);
}

Answer<std::vector<TrialRecord>> ExperimentManager::Core::find_trials(std::string id,
                                                                      std::vector<std::int64_t> sequences) {
  auto query = [id, sequences = std::move(sequences)](Connection& connection) -> Found<std::vector<TrialRecord>> {
    if (!has_experiment(connection, id)) return std::nullopt;
    return manager::find_trials(connection, id, sequences);
  };
  Found<std::vector<TrialRecord>> found = co_await database_->read(std::move(query));
  ServiceResult<std::vector<TrialRecord>> trials = answer(std::move(found), id);
  if (!trials) co_return trials;
  for (TrialRecord& record : *trials) add_wait_reason(record);
  co_return trials;
}

Answer<std::vector<TrialAttempt>> ExperimentManager::Core::list_attempts(std::string id, std::int64_t limit) {
  auto query = [id, limit](Connection& connection) -> Found<std::vector<TrialAttempt>> {
    if (!has_experiment(connection, id)) return std::nullopt;
    return attempts_of_experiment(connection, id, limit);
  };
  Found<std::vector<TrialAttempt>> found = co_await database_->read(std::move(query));
  co_return answer(std::move(found), id);
}

Answer<bool> ExperimentManager::Core::scan_metrics(std::string id, std::vector<std::int64_t> sequences,
                                                   std::function<void(std::int64_t, const MetricRecord&)> each) {
  auto query = [id, sequences = std::move(sequences), each = std::move(each)](Connection& connection) -> Found<bool> {
    if (!has_experiment(connection, id)) return std::nullopt;
    manager::scan_metrics(connection, id, sequences, each);
    return true;
  };
  Found<bool> found = co_await database_->read(std::move(query));
  co_return answer(std::move(found), id);
}

}  // namespace lathe::manager

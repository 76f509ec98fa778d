// An experiment service that answers from plain tables.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "experiment/service.hpp"

namespace lathe::manager::testing {

class FakeService : public ExperimentService {
 public:
  std::map<std::string, ExperimentRecord> experiments;
  std::vector<TrialRecord> trials;  ///< of all experiments, by sequence
  std::vector<MetricRecord> metrics;
  std::vector<TrialAttempt> attempts;
  int scans = 0;                        ///< how often all trials were read
  std::optional<ServiceError> refusal;  ///< every call is refused with this, when set
  std::optional<ExperimentChange> last_change;
  std::optional<nlohmann::ordered_json> last_parameters;
  TrialQuery last_trial_query;
  ExperimentQuery last_experiment_query;
  DaemonState daemon;
  std::vector<HostStatus> hosts;
  bool is_broken = false;  ///< every call throws
  std::size_t page_limit = 1000;

  Answer<ExperimentRecord> create(proto::ExperimentConfig config) override {
    ExperimentRecord record;
    record.id = "newone01";
    record.name = config.experiment_name;
    experiments[record.id] = record;
    co_return checked(record);
  }
  Answer<ExperimentRecord> show(std::string id) override { co_return find(id); }
  Answer<Page<ExperimentRecord>> list(ExperimentQuery query) override {
    last_experiment_query = std::move(query);
    Page<ExperimentRecord> page;
    for (const auto& [id, record] : experiments) page.items.push_back(record);
    co_return checked(page);
  }
  Answer<ExperimentRecord> change(std::string id, ExperimentChange wanted) override {
    last_change = std::move(wanted);
    co_return find(id);
  }
  Answer<ExperimentRecord> stop(std::string id) override { co_return find(id); }
  Answer<ExperimentRecord> resume(std::string id) override { co_return find(id); }
  Answer<bool> remove(std::string id) override {
    const auto found = find(id);
    if (!found) co_return tl::unexpected(found.error());
    co_return true;
  }
  Answer<Page<TrialRecord>> list_trials(TrialQuery query) override {
    last_trial_query = query;
    Page<TrialRecord> page;
    std::size_t index = query.cursor.empty() ? 0 : std::stoul(query.cursor);
    for (; index < trials.size() && page.items.size() < page_limit; ++index) page.items.push_back(trials[index]);
    if (index < trials.size()) page.next_cursor = std::to_string(index);
    co_return checked(page);
  }
  Answer<TrialRecord> show_trial(std::string, std::string id) override {
    for (const TrialRecord& trial : trials) {
      if (trial.id == id) co_return checked(trial);
    }
    co_return tl::unexpected(ServiceError{ServiceError::Kind::NotFound, {{"there is no trial " + id, "", "", 0}}});
  }
  Answer<TrialRecord> cancel_trial(std::string experiment, std::string id) override {
    co_return co_await show_trial(experiment, id);
  }
  Answer<TrialRecord> add_trial(std::string experiment, nlohmann::ordered_json parameters) override {
    last_parameters = parameters;
    TrialRecord record;
    record.experiment_id = experiment;
    record.id = "Tadd1";
    record.parameters = std::move(parameters);
    co_return checked(record);
  }
  Answer<Page<MetricRecord>> list_metrics(MetricQuery) override {
    Page<MetricRecord> page;
    page.items = metrics;
    co_return checked(page);
  }
  Answer<bool> scan_trials(std::string id, std::function<void(const TrialRecord&)> each) override {
    ++scans;
    const auto found = find(id);
    if (!found) co_return tl::unexpected(found.error());
    for (const TrialRecord& trial : trials) each(trial);
    co_return checked(true);
  }
  Answer<std::vector<TrialRecord>> find_trials(std::string, std::vector<std::int64_t> sequences) override {
    std::vector<TrialRecord> found;
    for (const std::int64_t sequence : sequences) {
      for (const TrialRecord& trial : trials) {
        if (trial.sequence == sequence) found.push_back(trial);
      }
    }
    co_return checked(found);
  }
  Answer<std::vector<TrialAttempt>> list_attempts(std::string, std::int64_t) override { co_return checked(attempts); }
  Answer<bool> scan_metrics(std::string, std::vector<std::int64_t> sequences,
                            std::function<void(std::int64_t, const MetricRecord&)> each) override {
    for (const std::int64_t sequence : sequences) {
      for (const MetricRecord& metric : metrics) {
        if (trials.at(static_cast<std::size_t>(sequence)).id == metric.trial_id) each(sequence, metric);
      }
    }
    co_return checked(true);
  }
  DaemonState daemon_state() const override { return daemon; }
  Answer<DaemonState> set_draining(bool draining) override {
    daemon.draining = draining;
    co_return checked(daemon);
  }
  std::vector<HostStatus> list_hosts() const override { return hosts; }
  Answer<HostStatus> show_host(std::string id) override { co_return find_host(id); }
  Answer<HostStatus> drain_host(std::string id, bool drained) override {
    for (HostStatus& host : hosts) {
      if (host.spec.id == id) host.drained = drained;
    }
    co_return find_host(id);
  }
  Answer<HostTest> test_host(std::string id) override {
    const auto found = find_host(id);
    if (!found) co_return tl::unexpected(found.error());
    co_return checked(HostTest{id, {{"connection", HostCheck::Verdict::Ok, "it answers"}}});
  }
  EventBus& events() override { return bus_; }

 private:
  template <class T>
  ServiceResult<T> checked(T value) {
    if (is_broken) throw std::runtime_error("the fake is broken");
    if (refusal) return tl::unexpected(*refusal);
    return value;
  }
  ServiceResult<ExperimentRecord> find(const std::string& id) {
    const auto found = experiments.find(id);
    if (found == experiments.end()) {
      return tl::unexpected(ServiceError{ServiceError::Kind::NotFound, {{"there is no experiment " + id, "", "", 0}}});
    }
    return checked(found->second);
  }

  ServiceResult<HostStatus> find_host(const std::string& id) {
    for (const HostStatus& host : hosts) {
      if (host.spec.id == id) return checked(host);
    }
    return tl::unexpected(ServiceError{ServiceError::Kind::NotFound, {{"there is no host " + id, "", "", 0}}});
  }

  EventBus bus_{8};
};

}  // namespace lathe::manager::testing

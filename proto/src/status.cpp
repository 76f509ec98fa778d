#include <lathe/proto/status.hpp>

namespace lathe::proto {
namespace {

template <class Status>
struct Named {
  Status status;
  std::string_view name;
};

constexpr std::array experiment_statuses{
    Named<ExperimentStatus>{ExperimentStatus::Initialized, "INITIALIZED"},
    Named<ExperimentStatus>{ExperimentStatus::Running, "RUNNING"},
    Named<ExperimentStatus>{ExperimentStatus::NoMoreTrial, "NO_MORE_TRIAL"},
    Named<ExperimentStatus>{ExperimentStatus::TunerNoMoreTrial, "TUNER_NO_MORE_TRIAL"},
    Named<ExperimentStatus>{ExperimentStatus::Done, "DONE"},
    Named<ExperimentStatus>{ExperimentStatus::Stopping, "STOPPING"},
    Named<ExperimentStatus>{ExperimentStatus::Stopped, "STOPPED"},
    Named<ExperimentStatus>{ExperimentStatus::Error, "ERROR"},
    Named<ExperimentStatus>{ExperimentStatus::Viewed, "VIEWED"},
};

constexpr std::array trial_statuses{
    Named<TrialStatus>{TrialStatus::Unknown, "UNKNOWN"},
    Named<TrialStatus>{TrialStatus::Waiting, "WAITING"},
    Named<TrialStatus>{TrialStatus::Running, "RUNNING"},
    Named<TrialStatus>{TrialStatus::Succeeded, "SUCCEEDED"},
    Named<TrialStatus>{TrialStatus::Failed, "FAILED"},
    Named<TrialStatus>{TrialStatus::UserCanceled, "USER_CANCELED"},
    Named<TrialStatus>{TrialStatus::SysCanceled, "SYS_CANCELED"},
    Named<TrialStatus>{TrialStatus::EarlyStopped, "EARLY_STOPPED"},
};

template <class Table, class Status>
std::string_view name_in(const Table& table, Status status) {
  for (const auto& row : table) {
    if (row.status == status) return row.name;
  }
  return "UNKNOWN";
}

template <class Status, class Table>
std::optional<Status> status_in(const Table& table, std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name) return row.status;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ExperimentStatus status) {
  return name_in(experiment_statuses, status);
}

std::string_view to_string(TrialStatus status) {
  return name_in(trial_statuses, status);
}

std::optional<ExperimentStatus> experiment_status_from(std::string_view name) {
  return status_in<ExperimentStatus>(experiment_statuses, name);
}

std::optional<TrialStatus> trial_status_from(std::string_view name) {
  return status_in<TrialStatus>(trial_statuses, name);
}

bool is_final(TrialStatus status) {
  switch (status) {
    case TrialStatus::Unknown:
    case TrialStatus::Waiting:
    case TrialStatus::Running:
      return false;
    case TrialStatus::Succeeded:
    case TrialStatus::Failed:
    case TrialStatus::UserCanceled:
    case TrialStatus::SysCanceled:
    case TrialStatus::EarlyStopped:
      return true;
  }
  return false;
}

}  // namespace lathe::proto

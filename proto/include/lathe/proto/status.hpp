// The states of experiments and trials. Names and meaning are NNI's, so that its users and scripts read them at sight.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace lathe::proto {

enum class ExperimentStatus {
  Initialized,       ///< accepted; its preparation (baseline measurement) has not finished
  Running,           ///< trials are being started
  NoMoreTrial,       ///< a limit was reached; the trials already submitted go on
  TunerNoMoreTrial,  ///< the tuner has nothing left to suggest; the trials already submitted go on
  Done,              ///< a limit was reached (or the space exhausted) and every trial has ended
  Stopping,          ///< a user stopped it; its trials are being ended
  Stopped,           ///< stopped by a user; resume is possible
  Error,             ///< cannot go on; the reason is in `error`; resume is possible
  Viewed,            ///< opened read-only
};

enum class TrialStatus {
  Unknown,
  Waiting,  ///< has parameters, waits for a slot; `waitReason` says why
  Running,
  Succeeded,     ///< exit code 0
  Failed,        ///< any other exit code, a signal, or it could not be started; `reason` says which
  UserCanceled,  ///< cancelled by a user, or by stopping its experiment
  SysCanceled,   ///< ended by Lathe for a reason of its own
  EarlyStopped,  ///< ended by maxTrialDuration or an assessor
};

/// NNI's spelling, e.g. `TUNER_NO_MORE_TRIAL`, `EARLY_STOPPED`.
[[nodiscard]] std::string_view to_string(ExperimentStatus status);
[[nodiscard]] std::string_view to_string(TrialStatus status);
[[nodiscard]] std::optional<ExperimentStatus> experiment_status_from(std::string_view name);
[[nodiscard]] std::optional<TrialStatus> trial_status_from(std::string_view name);

/// True when a trial in this state will never change again.
[[nodiscard]] bool is_final(TrialStatus status);

/// Every trial status, for tables and counters.
inline constexpr std::array all_trial_statuses{
    TrialStatus::Unknown, TrialStatus::Waiting,      TrialStatus::Running,     TrialStatus::Succeeded,
    TrialStatus::Failed,  TrialStatus::UserCanceled, TrialStatus::SysCanceled, TrialStatus::EarlyStopped};

}  // namespace lathe::proto

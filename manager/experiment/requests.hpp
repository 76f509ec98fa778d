// What people ask of an experiment, put into a turn. Pure edits: an error means that nothing was changed.
#pragma once

#include <string>

#include "experiment/service.hpp"
#include "experiment/turn.hpp"
#include "storage/error.hpp"

namespace lathe::manager {

[[nodiscard]] ServiceResult<void> request_change(Turn& turn, const ExperimentChange& change);
[[nodiscard]] ServiceResult<void> request_stop(Turn& turn);
[[nodiscard]] ServiceResult<void> request_resume(Turn& turn);
[[nodiscard]] ServiceResult<void> request_cancel(Turn& turn, const std::string& trial_id);
/// `trial_id` receives the new trial's id.
[[nodiscard]] ServiceResult<void> request_trial(Turn& turn, nlohmann::ordered_json parameters, std::string& trial_id);

/// An error with one sentence.
[[nodiscard]] tl::unexpected<ServiceError> refuse(ServiceError::Kind kind, std::string message, std::string field = {});
/// A refusal by the database; what only a defect of ours can cause is thrown.
[[nodiscard]] tl::unexpected<ServiceError> refuse(const StorageError& error);
[[nodiscard]] tl::unexpected<ServiceError> no_experiment(const std::string& id);

}  // namespace lathe::manager

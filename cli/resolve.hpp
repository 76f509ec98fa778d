// From what a user typed to the one experiment or trial that is meant.
#pragma once

#include <string>

#include "http/client.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// The ID of the experiment: `given` may be a whole ID or a prefix that only one has. Empty: the only experiment that
/// is not finished, or the only one there is. Otherwise a failure that lists the candidates.
[[nodiscard]] Outcome<std::string> resolve_experiment(const HttpClient& client, const std::string& given);

/// The ID of a trial: `given` is an ID, a prefix that only one has, or the trial's number (digits alone; IDs start with
/// a letter).
[[nodiscard]] Outcome<std::string> resolve_trial(const HttpClient& client, const std::string& experiment,
                                                 const std::string& given);

/// Whether an experiment in this status has come to an end: DONE, STOPPED, ERROR or VIEWED.
[[nodiscard]] bool is_finished(const std::string& experiment_status);

}  // namespace lathe::cli

// The `[ID] TRIAL` of commands about one trial.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "http/client.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// What the user typed: one word is a trial of the only experiment, two are experiment and trial; -T names the trial,
/// too.
struct TrialWords {
  std::vector<std::string> words;
  std::string trial_option;
};

void add_trial_arguments(CLI::App& app, TrialWords& words);

/// The trial meant, by whole IDs.
struct TrialTarget {
  std::string experiment;
  std::string trial;

  /// `/api/v1/experiments/E/trials/T`.
  [[nodiscard]] std::string path() const;
};

[[nodiscard]] Outcome<TrialTarget> resolve_target(const HttpClient& client, const TrialWords& words);

}  // namespace lathe::cli

#include "commands/trial_target.hpp"

#include "http/url.hpp"
#include "resolve.hpp"

namespace lathe::cli {

void add_trial_arguments(CLI::App& app, TrialWords& words) {
  app.add_option("ID TRIAL", words.words, "Experiment (may be left out when only one is not finished) and trial")
      ->expected(0, 2);
  app.add_option("-T,--trial_id,--trial-id", words.trial_option,
                 "The trial, when it is not given behind the experiment");
}

std::string TrialTarget::path() const {
  return api_path({"experiments", experiment, "trials", trial});
}

Outcome<TrialTarget> resolve_target(const HttpClient& client, const TrialWords& words) {
  std::vector<std::string> given = words.words;
  if (!words.trial_option.empty()) given.push_back(words.trial_option);
  if (given.empty() || given.size() > 2 || given.back().empty()) {
    return fail("expected an experiment and a trial, such as `ab12 Xy3`, or only a trial", ExitCode::Usage);
  }
  auto experiment = resolve_experiment(client, given.size() == 2 ? given.front() : std::string{});
  if (!experiment) return pass_on(experiment);
  auto trial = resolve_trial(client, *experiment, given.back());
  if (!trial) return pass_on(trial);
  return TrialTarget{*std::move(experiment), *std::move(trial)};
}

}  // namespace lathe::cli

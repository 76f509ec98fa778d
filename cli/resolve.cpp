#include "resolve.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "api.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

constexpr std::array<std::string_view, 4> finished_statuses{"DONE", "STOPPED", "ERROR", "VIEWED"};

std::vector<const Json*> with_prefix(const Listing& listing, const std::string& prefix) {
  std::vector<const Json*> matching;
  for (const Json& item : listing.items) {
    const std::string id = text_of(item, "id");
    if (id == prefix) return {&item};
    if (id.substr(0, prefix.size()) == prefix) matching.push_back(&item);
  }
  return matching;
}

/// ` ab12cd34 (RUNNING, name)` of the first few.
std::string enumerate(const std::vector<const Json*>& experiments) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(most, experiments.size()); ++i) {
    const Json& item = *experiments[i];
    text += fmt::format("\n  {}  {}  {}", escape(text_of(item, "id")), escape(text_of(item, "status")),
                        escape(text_of(item, "name")));
  }
  if (experiments.size() > most) text += fmt::format("\n  and {} more", experiments.size() - most);
  return text;
}

Outcome<std::string> the_only_one(const Listing& listing) {
  std::vector<const Json*> all;
  std::vector<const Json*> unfinished;
  for (const Json& item : listing.items) {
    all.push_back(&item);
    if (!is_finished(text_of(item, "status"))) unfinished.push_back(&item);
  }
  if (unfinished.size() == 1) return text_of(*unfinished.front(), "id");
  if (all.size() == 1) return text_of(*all.front(), "id");
  if (all.empty()) return fail("there is no experiment yet: start one with `lathectl create --config FILE`");
  const auto& candidates = unfinished.empty() ? all : unfinished;
  return fail(fmt::format("which experiment? {} of them {}; give an ID or the start of one:{}", candidates.size(),
                          unfinished.empty() ? "are finished" : "are not finished", enumerate(candidates)));
}

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

Outcome<std::string> only_trial(const std::vector<std::string>& ids, const std::string& experiment,
                                const std::string& given) {
  if (ids.size() == 1) return ids.front();
  if (ids.empty()) return fail(fmt::format("experiment {} has no trial {}", escape(experiment), escape(given)));
  return fail(fmt::format("{} is the start of {} trials of experiment {}: give more of the ID", escape(given),
                          ids.size(), escape(experiment)));
}

}  // namespace

bool is_finished(const std::string& experiment_status) {
  return std::find(finished_statuses.begin(), finished_statuses.end(), experiment_status) != finished_statuses.end();
}

Outcome<std::string> resolve_experiment(const HttpClient& client, const std::string& given) {
  if (!given.empty() && get(client, api_path({"experiments", given}))) return given;
  auto listing = list_experiments(client);
  if (!listing) return pass_on(listing);
  if (given.empty()) return the_only_one(*listing);
  const auto matching = with_prefix(*listing, given);
  if (matching.size() == 1) return text_of(*matching.front(), "id");
  if (matching.empty()) return fail(fmt::format("there is no experiment {}", escape(given)));
  return fail(fmt::format("{} is the start of {} IDs:{}", escape(given), matching.size(), enumerate(matching)));
}

Outcome<std::string> resolve_trial(const HttpClient& client, const std::string& experiment, const std::string& given) {
  const auto trials = api_path({"experiments", experiment, "trials"});
  if (!is_number(given) && get(client, api_path({"experiments", experiment, "trials", given}))) return given;
  auto listing = list(client, trials, {{"sort", "sequence"}});
  if (!listing) return pass_on(listing);
  std::vector<std::string> ids;
  for (const Json& trial : listing->items) {
    const std::string id = text_of(trial, "id");
    const auto sequence = integer_of(trial, "sequence");
    const bool matches =
        is_number(given) ? sequence && std::to_string(*sequence) == given : id.substr(0, given.size()) == given;
    if (matches) ids.push_back(id);
  }
  return only_trial(ids, experiment, given);
}

}  // namespace lathe::cli

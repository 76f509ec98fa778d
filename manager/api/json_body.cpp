#include "api/json_body.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

constexpr int max_depth = 100;
constexpr std::size_t shown_characters = 80;

std::string shown(const ordered_json& value) {
  std::string text = value.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  if (text.size() > shown_characters) text = text.substr(0, shown_characters) + "…";
  return text;
}

proto::Errors one_error(std::string field, std::string message) {
  return {{std::move(message), std::move(field), {}, 0}};
}

using Setter = void (*)(const ordered_json&, const std::string& key, ExperimentChange&, proto::Errors&);

std::optional<std::int64_t> positive_integer(const ordered_json& value, const std::string& key, proto::Errors& errors) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() >= 1 && value.get<std::uint64_t>() <= largest) {
    return value.get<std::int64_t>();
  }
  errors.push_back({fmt::format("{} is not a positive integer", shown(value)), key, {}, 0});
  return std::nullopt;
}

void set_concurrency(const ordered_json& value, const std::string& key, ExperimentChange& change,
                     proto::Errors& errors) {
  change.trial_concurrency = positive_integer(value, key, errors);
}

void set_trial_number(const ordered_json& value, const std::string& key, ExperimentChange& change,
                      proto::Errors& errors) {
  if (value.is_null()) {
    change.max_trial_number.emplace(std::nullopt);
  } else {
    change.max_trial_number.emplace(positive_integer(value, key, errors));
  }
}

template <auto Member>
void set_duration(const ordered_json& value, const std::string& key, ExperimentChange& change, proto::Errors& errors) {
  auto& field = change.*Member;
  field.emplace(std::nullopt);
  if (value.is_null()) return;
  const auto duration = proto::parse_duration(value);
  if (duration) {
    *field = *duration;
  } else {
    errors.push_back({duration.error().message, key, {}, 0});
  }
}

void set_search_space(const ordered_json& value, const std::string& key, ExperimentChange& change,
                      proto::Errors& errors) {
  auto space = proto::parse_search_space(value, key);
  if (space) {
    change.search_space = std::move(*space);
  } else {
    errors.insert(errors.end(), space.error().begin(), space.error().end());
  }
}

struct ChangeKey {
  std::string_view name;
  Setter set;
};

constexpr std::array<ChangeKey, 5> change_keys{{
    {"trialConcurrency", set_concurrency},
    {"maxTrialNumber", set_trial_number},
    {"maxExperimentDuration", set_duration<&ExperimentChange::max_experiment_duration>},
    {"maxTrialDuration", set_duration<&ExperimentChange::max_trial_duration>},
    {"searchSpace", set_search_space},
}};

const ChangeKey* find_key(std::string_view name) {
  for (const ChangeKey& key : change_keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::string known_keys() {
  std::string names;
  for (const ChangeKey& key : change_keys) names += fmt::format("{}{}", names.empty() ? "" : ", ", key.name);
  return names;
}

}  // namespace

proto::Result<ordered_json> parse_json_body(std::string_view body) {
  bool is_too_deep = false;
  const auto watch_depth = [&](int depth, ordered_json::parse_event_t, ordered_json&) {
    is_too_deep = is_too_deep || depth > max_depth;
    return !is_too_deep;
  };
  try {
    auto json = ordered_json::parse(body, watch_depth);
    if (is_too_deep) return proto::fail(fmt::format("the body is nested deeper than {} levels", max_depth));
    return json;
  } catch (const ordered_json::exception& error) {
    return proto::fail(fmt::format("the body is not valid JSON: {}", error.what()));
  }
}

bool is_readable_config(std::string_view text) {
  if (ordered_json::accept(text)) return true;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return false;
  try {
    (void)ordered_json(text).dump();  // throws where the text is not UTF-8, which yaml-cpp would let pass
    return YAML::Load(std::string(text)).IsDefined();
  } catch (const ordered_json::type_error&) {
    return false;
  } catch (const YAML::Exception&) {
    return false;
  }
}

proto::Checked<ExperimentChange> parse_experiment_change(const ordered_json& json) {
  if (!json.is_object()) return tl::unexpected(one_error("", "the body is not an object of changes"));
  ExperimentChange change;
  proto::Errors errors;
  for (const auto& [name, value] : json.items()) {
    if (const ChangeKey* key = find_key(name)) {
      key->set(value, name, change, errors);
    } else {
      errors.push_back({fmt::format("this cannot be changed; what can: {}", known_keys()), name, {}, 0});
    }
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  return change;
}

proto::Checked<ordered_json> parse_new_trial(const ordered_json& json) {
  if (!json.is_object()) return tl::unexpected(one_error("", "the body is not an object with `parameters`"));
  proto::Errors errors;
  for (const auto& [name, value] : json.items()) {
    if (name != "parameters") errors.push_back({"there is no such key; there is: parameters", name, {}, 0});
  }
  const auto parameters = json.find("parameters");
  if (parameters == json.end()) {
    errors.push_back({"it is missing", "parameters", {}, 0});
  } else if (!parameters->is_object()) {
    errors.push_back({fmt::format("{} is not an object of parameters", shown(*parameters)), "parameters", {}, 0});
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  return *parameters;
}

}  // namespace lathe::manager

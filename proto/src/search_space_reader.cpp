#include "search_space_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "key_matching.hpp"
#include "reader.hpp"
#include "search_space_types.hpp"

namespace lathe::proto {
namespace {

std::vector<Parameter> read_parameters(const std::vector<Member>& members, Problems& problems);

const Value* find_member(const std::vector<Member>& members, std::string_view name) {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.name == name; });
  return found == members.end() ? nullptr : &found->value;
}

bool has_key(const Value& value, std::string_view key) {
  return value.json().is_object() && value.json().contains(key);
}

/// An object that was meant as a parameter, whether or not it is a good one.
bool is_parameter_like(const Value& value) {
  return has_key(value, type_key) || has_key(value, value_key);
}

// --- choice ---

/// `{"_name": "l1", "conv1.sparsity": {"_type": …}, "epochs": 3}`: parameters and constants under one name.
Option read_named_option(const Value& value, const std::vector<Member>& members, Problems& problems) {
  Option option;
  option.value = nlohmann::ordered_json::object();
  std::vector<Member> parameters;
  for (const Member& member : members) {
    if (member.name == name_key) {
      option.name = read_text(member.value, problems).value_or("");
      append_member(option.value, member.name, option.name);
    } else if (is_parameter_like(member.value)) {
      parameters.push_back(member);
    } else {
      require_finite(member.value, problems);
      append_member(option.value, member.name, member.value.json());
    }
  }
  option.parameters = read_parameters(parameters, problems);
  if (is_parameter_like(value)) problems.add(value, "an option has a _name; _type and _value belong one level deeper");
  return option;
}

Option read_option(const Value& value, Problems& problems) {
  if (has_key(value, name_key)) return read_named_option(value, value.members(), problems);
  for (const Member& member : value.members()) {
    if (!is_parameter_like(member.value)) continue;
    problems.add(value, fmt::format("the option holds the parameter {} and so needs a _name", member.name));
    break;
  }
  require_finite(value, problems);
  return Option{value.json(), {}, {}};
}

Choice read_choice(const Value& value, Problems& problems) {
  Choice choice;
  std::map<std::string, int> lines;
  for (const Value& item : value.items()) {
    Option option = read_option(item, problems);
    if (!option.name.empty()) {
      const auto [first, is_new] = lines.emplace(option.name, item.line());
      const std::string where = first->second > 0 ? fmt::format(" (line {})", first->second) : "";
      if (!is_new)
        problems.add(item, fmt::format("duplicate _name \"{}\": another option has it{}", option.name, where));
    }
    choice.options.push_back(std::move(option));
  }
  if (choice.options.empty()) problems.add(value, "a choice needs at least one option, found an empty list");
  return choice;
}

// --- numbers ---

/// The numbers of `_value`, or nullopt when they are too few, too many or not numbers.
std::optional<std::vector<double>> read_numbers(const Value& value, const ParameterType& type, Problems& problems) {
  const std::size_t wanted = type.quantized ? 3 : 2;
  const std::vector<Value> items = value.items();
  if (items.size() != wanted) {
    problems.add(
        value, fmt::format("{} needs {} numbers {}, found {}", type.name, wanted, type.value, describe(value.json())));
    return std::nullopt;
  }
  std::vector<double> numbers;
  for (const Value& item : items) {
    if (const auto number = read_number(item, {}, problems)) numbers.push_back(*number);
  }
  return numbers.size() == wanted ? std::optional(numbers) : std::nullopt;
}

std::optional<double> read_q(const Value& value, const ParameterType& type, const std::vector<double>& numbers,
                             Problems& problems) {
  if (!type.quantized) return std::nullopt;
  if (!(numbers[2] > 0)) problems.add(value, fmt::format("{} needs q > 0, found {}", type.name, numbers[2]));
  return numbers[2];
}

Uniform read_uniform(const Value& value, const ParameterType& type, Problems& problems) {
  const auto numbers = read_numbers(value, type, problems);
  if (!numbers) return {};
  const Uniform uniform{(*numbers)[0], (*numbers)[1], type.log, read_q(value, type, *numbers, problems)};
  if (!(uniform.low < uniform.high)) {
    problems.add(value,
                 fmt::format("{} needs low < high, found low {} and high {}", type.name, uniform.low, uniform.high));
  } else if (!std::isfinite(uniform.high - uniform.low)) {
    problems.add(value,
                 fmt::format("{} spans more than a double holds: {} to {}", type.name, uniform.low, uniform.high));
  }
  if (type.log && !(uniform.low > 0)) {
    problems.add(value, fmt::format("{} needs low > 0, found {}", type.name, uniform.low));
  }
  return uniform;
}

Normal read_normal(const Value& value, const ParameterType& type, Problems& problems) {
  const auto numbers = read_numbers(value, type, problems);
  if (!numbers) return {};
  const Normal normal{(*numbers)[0], (*numbers)[1], type.log, read_q(value, type, *numbers, problems)};
  if (!(normal.sigma > 0)) problems.add(value, fmt::format("{} needs sigma > 0, found {}", type.name, normal.sigma));
  return normal;
}

/// A bound of randint, rounded up as NNI does.
std::optional<std::int64_t> read_bound(const Value& value, Problems& problems) {
  if (!value.json().is_number_float()) return read_integer(value, {}, problems);
  constexpr double limit = 9223372036854775808.0;  // 2^63
  const double bound = std::ceil(value.json().get<double>());
  if (bound >= -limit && bound < limit) return static_cast<std::int64_t>(bound);
  problems.add_mismatch(value, "a number that fits a 64-bit integer");
  return std::nullopt;
}

RandInt read_randint(const Value& value, const ParameterType& type, Problems& problems) {
  const std::vector<Value> items = value.items();
  if (items.size() != 2) {
    problems.add(value, fmt::format("{} needs 2 numbers {}, found {}", type.name, type.value, describe(value.json())));
    return {};
  }
  const auto low = read_bound(items[0], problems);
  const auto high = read_bound(items[1], problems);
  if (!low || !high) return {};
  if (*low >= *high) {
    problems.add(
        value, fmt::format("{} needs low < high (high is excluded), found low {} and high {}", type.name, *low, *high));
  }
  return RandInt{*low, *high};
}

// --- parameters ---

Distribution read_distribution(const Value& value, const ParameterType& type, Problems& problems) {
  switch (type.family) {
    case Family::Choice:
      return read_choice(value, problems);
    case Family::RandInt:
      return read_randint(value, type, problems);
    case Family::Uniform:
      return read_uniform(value, type, problems);
    case Family::Normal:
      return read_normal(value, type, problems);
  }
  return Choice{};
}

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const ParameterType& type : parameter_types) names.push_back(type.name);
  return names;
}

const ParameterType* read_type(const Value& value, Problems& problems) {
  const std::vector<std::string_view> names = type_names();
  if (!value.json().is_string()) {
    problems.add_mismatch(value, "one of " + listed(names));
    return nullptr;
  }
  const auto& name = value.json().get_ref<const std::string&>();
  const auto type =
      std::find_if(parameter_types.begin(), parameter_types.end(), [&](const auto& row) { return row.name == name; });
  if (type != parameter_types.end()) return type;
  problems.add(value, fmt::format("unknown _type {}{} Known are {}", describe(value.json()),
                                  nearest(name, names) ? suggestion(name, names) : ".", listed(names)));
  return nullptr;
}

void refuse_other_keys(const std::vector<Member>& members, Problems& problems) {
  constexpr std::array known{type_key, value_key};
  for (const Member& member : members) {
    if (member.name == type_key || member.name == value_key) continue;
    problems.add(member.value,
                 fmt::format("unknown key{}; a parameter has _type and _value", suggestion(member.name, known)));
  }
}

Parameter read_parameter(const Member& member, Problems& problems) {
  Parameter parameter{member.name, Choice{}};
  const Value& value = member.value;
  if (member.name.empty()) problems.add(value, "a parameter needs a name, found an empty one");
  if (!value.json().is_object()) {
    problems.add_mismatch(value, "a parameter {\"_type\": …, \"_value\": […]}");
    return parameter;
  }
  const std::vector<Member> keys = value.members();
  refuse_other_keys(keys, problems);
  const Value* const type_name = find_member(keys, type_key);
  const Value* const values = find_member(keys, value_key);
  if (type_name == nullptr) problems.add(value, "_type is missing; expected one of " + listed(type_names()));
  if (values == nullptr) problems.add(value, "_value is missing; expected a list");
  const ParameterType* const type = type_name == nullptr ? nullptr : read_type(*type_name, problems);
  if (type == nullptr || values == nullptr) return parameter;
  if (!values->json().is_array()) {
    problems.add_mismatch(*values, fmt::format("a list {} for {}", type->value, type->name));
    return parameter;
  }
  parameter.distribution = read_distribution(*values, *type, problems);
  return parameter;
}

std::vector<Parameter> read_parameters(const std::vector<Member>& members, Problems& problems) {
  std::vector<Parameter> parameters;
  parameters.reserve(members.size());
  for (const Member& member : members) parameters.push_back(read_parameter(member, problems));
  return parameters;
}

}  // namespace

SearchSpace read_search_space(const Value& value, Problems& problems) {
  if (!value.json().is_object()) {
    problems.add_mismatch(value, "an object of parameters {name: {\"_type\": …, \"_value\": […]}}");
    return {};
  }
  SearchSpace space{read_parameters(value.members(), problems)};
  if (space.parameters.empty()) problems.add(value, "the search space is empty; expected at least one parameter");
  return space;
}

}  // namespace lathe::proto

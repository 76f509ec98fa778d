#include <lathe/proto/search_space.hpp>

#include <algorithm>
#include <string_view>

#include "document.hpp"
#include "problems.hpp"
#include "search_space_reader.hpp"
#include "search_space_types.hpp"
#include "value.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

void append_parameter(ordered_json& object, const Parameter& parameter);

std::string_view type_name(Family family, bool log, bool quantized) {
  for (const ParameterType& type : parameter_types) {
    if (type.family == family && type.log == log && type.quantized == quantized) return type.name;
  }
  return {};
}

ordered_json specification(std::string_view type, ordered_json value) {
  return {{type_key, type}, {value_key, std::move(value)}};
}

ordered_json numbers(Family family, double first, double second, bool log, const std::optional<double>& q) {
  ordered_json value{first, second};
  if (q) value.push_back(*q);
  return specification(type_name(family, log, q.has_value()), std::move(value));
}

struct ToJson {
  ordered_json operator()(const Choice& choice) const {
    ordered_json options = ordered_json::array();
    for (const Option& option : choice.options) {
      ordered_json json = option.value;
      for (const Parameter& parameter : option.parameters) append_parameter(json, parameter);
      options.push_back(std::move(json));
    }
    return specification("choice", std::move(options));
  }
  ordered_json operator()(const RandInt& range) const {
    return specification("randint", ordered_json::array({range.low, range.high}));
  }
  ordered_json operator()(const Uniform& uniform) const {
    return numbers(Family::Uniform, uniform.low, uniform.high, uniform.log, uniform.q);
  }
  ordered_json operator()(const Normal& normal) const {
    return numbers(Family::Normal, normal.mu, normal.sigma, normal.log, normal.q);
  }
};

void append_parameter(ordered_json& object, const Parameter& parameter) {
  append_member(object, parameter.name, std::visit(ToJson{}, parameter.distribution));
}

}  // namespace

Checked<SearchSpace> parse_search_space(const nlohmann::ordered_json& json, const std::string& field) {
  if (!is_within_depth(json)) {
    const std::string limit = std::to_string(DocumentLimits{}.depth);
    return tl::unexpected(Errors{Error{"nested too deep: at most " + limit + " levels are read", field, {}, 0}});
  }
  Problems problems{""};
  SearchSpace space = read_search_space(Value(json, nullptr, field.empty() ? Path() : Path(field)), problems);
  if (!problems.empty()) return tl::unexpected(problems.take_errors());
  return space;
}

nlohmann::ordered_json to_json(const SearchSpace& space) {
  ordered_json json = ordered_json::object();
  for (const Parameter& parameter : space.parameters) append_parameter(json, parameter);
  return json;
}

}  // namespace lathe::proto

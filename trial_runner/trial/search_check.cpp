#include "search_check.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<Json>;

Values corners(const std::vector<proto::Parameter>& parameters, const Json& base);

/// The values of one distribution that stand for all of them.
struct Corners {
  Values operator()(const proto::Choice& choice) const {
    Values values;
    for (const proto::Option& option : choice.options) {
      const Values of_option =
          option.parameters.empty() ? Values{option.value} : corners(option.parameters, option.value);
      values.insert(values.end(), of_option.begin(), of_option.end());
    }
    return values;
  }
  Values operator()(const proto::RandInt& range) const { return {range.low, range.high - 1}; }
  Values operator()(const proto::Uniform& range) const {
    // A continuous draw never is the upper end itself; a quantised one can be.
    return {range.low, range.q ? range.high : std::nextafter(range.high, range.low)};
  }
  Values operator()(const proto::Normal& normal) const { return {normal.log ? std::exp(normal.mu) : normal.mu}; }
};

Values corners(const std::vector<proto::Parameter>& parameters, const Json& base) {
  std::vector<Values> columns;
  std::size_t most = 1;
  for (const proto::Parameter& parameter : parameters) {
    columns.push_back(std::visit(Corners{}, parameter.distribution));
    most = std::max(most, columns.back().size());
  }
  Values rows(most, base);
  for (std::size_t row = 0; row < most; ++row) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      rows[row][parameters[i].name] = columns[i][std::min(row, columns[i].size() - 1)];
    }
  }
  return rows;
}

}  // namespace

Values corner_parameters(const proto::SearchSpace& space) {
  return corners(space.parameters, Json::object());
}

Result<std::vector<std::string>> check_search_space(const proto::SearchSpace& space, const PlanInput& input) {
  std::vector<std::string> warnings;
  for (const Json& parameters : corner_parameters(space)) {
    const auto plan = make_plan(parameters, input);
    if (!plan) return fail(fmt::format("search space: {} (with {})", plan.error().message, parameters.dump()));
    for (const std::string& warning : plan->warnings) {
      if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(warning);
    }
  }
  return warnings;
}

}  // namespace lathe::trial

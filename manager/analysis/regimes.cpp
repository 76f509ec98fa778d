#include "analysis/regimes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace lathe::manager {
namespace {

using Way = std::vector<TextCondition>;

constexpr double most_cells = 50;

OrderedGrid grid_of(const proto::RandInt& range) {
  const double values = static_cast<double>(range.high) - static_cast<double>(range.low);
  return {static_cast<double>(range.low), static_cast<double>(range.high) - 1, false,
          static_cast<std::size_t>(std::clamp(values, 1.0, most_cells))};
}

OrderedGrid grid_of(const proto::Uniform& range) {
  OrderedGrid grid{range.low, range.high, range.log, static_cast<std::size_t>(most_cells)};
  if (range.q && !range.log) {
    const double values = std::round((range.high - range.low) / *range.q) + 1;
    grid.cells = static_cast<std::size_t>(std::clamp(values, 2.0, most_cells));
  }
  return grid;
}

OrderedGrid grid_of(const proto::Normal& normal) {
  return {std::nullopt, std::nullopt, normal.log, static_cast<std::size_t>(most_cells)};
}

/// What a table shows of the option, told by a table itself.
std::optional<TextCondition> condition_of(const proto::Option& option, const std::string& column) {
  if (!option.name.empty()) return TextCondition{column + "._name", option.name};
  if (option.value.is_object() || option.value.is_null()) return std::nullopt;
  TrialTable table;
  const nlohmann::ordered_json parameters{{"x", option.value}};
  TrialFacts facts;
  facts.parameters = &parameters;
  table.put(facts);
  const Column* shown = table.find("parameter.x");
  if (shown == nullptr) return std::nullopt;
  return TextCondition{column, shown->text(0)};
}

class Walk {
 public:
  void visit(const std::vector<proto::Parameter>& parameters, const std::string& prefix, const Way& way) {
    for (const proto::Parameter& parameter : parameters) {
      const std::string column = prefix + "." + parameter.name;
      if (const auto* choice = std::get_if<proto::Choice>(&parameter.distribution)) {
        visit_choice(*choice, column, way);
      } else if (const auto* integers = std::get_if<proto::RandInt>(&parameter.distribution)) {
        add(column, grid_of(*integers), way);
      } else if (const auto* uniform = std::get_if<proto::Uniform>(&parameter.distribution)) {
        add(column, grid_of(*uniform), way);
      } else {
        add(column, grid_of(std::get<proto::Normal>(parameter.distribution)), way);
      }
    }
  }

  std::vector<ParameterRegimes> take() { return std::move(found_); }

 private:
  void visit_choice(const proto::Choice& choice, const std::string& column, const Way& way) {
    CategoryGrid grid;
    bool is_named = false;
    for (const proto::Option& option : choice.options) {
      if (auto condition = condition_of(option, column)) grid.options.push_back(std::move(*condition));
      is_named = is_named || !option.name.empty();
    }
    add(is_named ? column + "._name" : column, std::move(grid), way);
    for (const proto::Option& option : choice.options) {
      if (option.parameters.empty()) continue;
      Way inside = way;
      inside.push_back({column + "._name", option.name});
      visit(option.parameters, column, inside);
    }
  }

  void add(const std::string& column, std::variant<OrderedGrid, CategoryGrid> grid, const Way& way) {
    auto parameter =
        std::find_if(found_.begin(), found_.end(), [&](const auto& known) { return known.column == column; });
    if (parameter == found_.end()) parameter = found_.insert(found_.end(), {column, {}});
    auto& regimes = parameter->regimes;
    auto regime = std::find_if(regimes.begin(), regimes.end(), [&](const Regime& known) { return known.grid == grid; });
    if (regime == regimes.end()) regime = regimes.insert(regimes.end(), {std::move(grid), {}});
    regime->ways.push_back(way);
  }

  std::vector<ParameterRegimes> found_;
};

}  // namespace

std::vector<ParameterRegimes> regimes_of(const proto::SearchSpace& space) {
  Walk walk;
  walk.visit(space.parameters, "parameter", {});
  return walk.take();
}

}  // namespace lathe::manager

// The parameters of a search space as columns, and under which choices each is active with which distribution.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <lathe/proto/search_space.hpp>

#include "analysis/trial_table.hpp"

namespace lathe::manager {

/// A trial's text in a column, as it has to be.
struct TextCondition {
  std::string column;
  std::string text;
  friend bool operator==(const TextCondition&, const TextCondition&) = default;
};

/// Values on a line, cut into cells of equal size (on the logarithm of the values when `log`).
struct OrderedGrid {
  std::optional<double> low, high;  ///< none: what the trials have had (normal distributions)
  bool log = false;
  std::size_t cells = 50;
  friend bool operator==(const OrderedGrid&, const OrderedGrid&) = default;
};

/// The options of a choice; each is known by a column and the text in it (see Column::text).
struct CategoryGrid {
  std::vector<TextCondition> options;
  friend bool operator==(const CategoryGrid&, const CategoryGrid&) = default;
};

/// One distribution of a parameter, and the ways of choices that lead to it (any of them, each all of its conditions).
struct Regime {
  std::variant<OrderedGrid, CategoryGrid> grid;
  std::vector<std::vector<TextCondition>> ways;
};

struct ParameterRegimes {
  std::string column;  ///< `parameter.PATH`; of a choice with sub-spaces `parameter.PATH._name`
  std::vector<Regime> regimes;
};

/// In the order in which the space names them. Ranges have at most 50 cells, quantised ones no more than values.
/// Options that are objects without `_name` cannot be told apart by one column and are left out of their choice.
[[nodiscard]] std::vector<ParameterRegimes> regimes_of(const proto::SearchSpace& space);

}  // namespace lathe::manager

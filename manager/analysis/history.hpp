// A metric over the trials, and its best value so far.
#pragma once

#include <cstddef>
#include <optional>

#include "analysis/sampling.hpp"

namespace lathe::manager {

/// Which way is better.
enum class Goal { Minimize, Maximize };

struct History {
  std::size_t total = 0;  ///< rows that have a value
  Rows points;            ///< of the line, thinned so that its peaks stay (see peaks())
  Rows best;              ///< each row that beat all before it
};

/// `column` is not of texts. Without a goal there is no best. Both lists have at most `points` (at least 4) rows;
/// should there be more bests, they are thinned evenly, the first and the last kept.
[[nodiscard]] History history_of(const Column& column, const Rows& rows, std::size_t points, std::optional<Goal> goal);

}  // namespace lathe::manager

// Fewer points that still show what all of them would.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/order.hpp"

namespace lathe::manager {

/// `count` of the places 0 … size - 1 in even steps, the first and the last among them; all when there are not more.
[[nodiscard]] std::vector<std::size_t> even_places(std::size_t size, std::size_t count);

/// `count` of the rows, evenly.
[[nodiscard]] Rows even_rows(const Rows& rows, std::size_t count);

/// The places of a line's points that keep its shape: of each of `count` / 2 equal pieces the lowest and the highest
/// value, and the first and the last point of all. At most `count` (at least 4) places, ascending; all when there are
/// not more.
[[nodiscard]] std::vector<std::size_t> peaks(const std::vector<double>& values, std::size_t count);

/// The rows of a chart of many columns, ascending: a tenth of `count` are the best by `metric` (where there is one),
/// then those with the lowest and the highest value of each of `columns`, and the rest is an even spread over the
/// others.
[[nodiscard]] Rows characteristic_rows(const Rows& rows, std::size_t count, const Column* metric, bool maximize,
                                       const std::vector<const Column*>& columns);

}  // namespace lathe::manager

// Rows in the order of a column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/trial_table.hpp"

namespace lathe::manager {

/// Rows of a table, by number.
using Rows = std::vector<std::uint32_t>;

/// 0 … rows() - 1.
[[nodiscard]] Rows all_rows(const TrialTable& table);

/// Places `first` … `first` + `count` - 1 of `rows` (ascending) in the order of the column: numbers by size, texts by
/// bytes. Equal ones are in the order of the rows; `descending` turns all of that around. Rows without a value come
/// last either way. Null: in the order of the rows, or the reverse. Takes O(n + count log count).
[[nodiscard]] Rows ordered(const Column* column, bool descending, const Rows& rows, std::size_t first,
                           std::size_t count);

}  // namespace lathe::manager

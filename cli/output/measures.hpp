// What lathe-trial measures of a model, as columns: accuracy, drop, sparsity, parameters, MACs, size, latency,
// speed-up.
#pragma once

#include <string>
#include <vector>

#include "json.hpp"
#include "output/table.hpp"

namespace lathe::cli {

/// The columns in their order.
[[nodiscard]] std::vector<Column> measure_columns();

/// One cell a column, from a final metric or a baseline; empty where the model was not measured.
[[nodiscard]] std::vector<Cell> measure_cells(const Json& measures);

/// The same on one line: `accuracy 98.20%, parameters 431,080, …`.
[[nodiscard]] std::string measures_text(const Json& measures);

}  // namespace lathe::cli

// Changes literal numbers in the methods of a model.
#pragma once

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/result.hpp>

#include "speedup/plan.hpp"

namespace lathe::compression {

/// Writes the new literals into the methods that `flat` was made from. A number that the program works out from sizes
/// at run time needs no change and gets none. Errors: two calls of the same code need different numbers.
[[nodiscard]] Result<void> apply_literals(const FlatGraph& flat, const Plan& plan);

}  // namespace lathe::compression

// Reads a search space out of a document, so that its errors have lines.
#pragma once

#include <lathe/proto/search_space.hpp>

#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

/// What is wrong goes to `problems`; the space is complete only when nothing was added there.
[[nodiscard]] SearchSpace read_search_space(const Value& value, Problems& problems);

}  // namespace lathe::proto

// A trial's parameters on one line.
#pragma once

#include <string>

#include "json.hpp"

namespace lathe::cli {

/// `{"algorithm": {"_name": "l1", "conv1.sparsity": 0.4}}` → `l1 conv1.sparsity=0.4`: the algorithm chosen leads, its
/// parameters follow without repeating where they sit. Other parameters read `lr=0.01`; a nested choice that is not the
/// only parameter keeps its name: `optimizer=sgd optimizer.momentum=0.9`. Floats get four significant digits.
[[nodiscard]] std::string compact_parameters(const Json& parameters);

}  // namespace lathe::cli

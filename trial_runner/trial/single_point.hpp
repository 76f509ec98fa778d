// The parameters of a search space that leaves nothing to choose.
#pragma once

#include <nlohmann/json.hpp>

#include <lathe/proto/search_space.hpp>

#include "result.hpp"

namespace lathe::trial {

/// Every parameter is a choice of one option. Errors name the first that is not, and what would make it so.
[[nodiscard]] Result<nlohmann::ordered_json> single_point(const proto::SearchSpace& space);

}  // namespace lathe::trial

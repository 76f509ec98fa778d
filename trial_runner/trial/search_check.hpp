// Finds, before the first trial, what would make trials of a search space fail on this model.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/search_space.hpp>

#include "algorithms/plan.hpp"
#include "result.hpp"

namespace lathe::trial {

/// Parameter sets that together hold every option of every choice and both ends of every range at least once.
/// (Not every combination: their number is that of the parameter with the most values.)
[[nodiscard]] std::vector<nlohmann::ordered_json> corner_parameters(const proto::SearchSpace& space);

/// Makes a plan of each of them, as a trial would. What the plans warn of, each once; or the first error, with the
/// parameters that cause it.
[[nodiscard]] Result<std::vector<std::string>> check_search_space(const proto::SearchSpace& space,
                                                                  const PlanInput& input);

}  // namespace lathe::trial

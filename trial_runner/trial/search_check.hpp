// Finds, before the first trial, what would make trials of a search space fail on this model.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/model.hpp>
#include <lathe/proto/search_space.hpp>

#include "result.hpp"

namespace lathe::trial {

/// Parameter sets that together hold every option of every choice and both ends of every range at least once.
/// (Not every combination: their number is that of the parameter with the most values.)
[[nodiscard]] std::vector<nlohmann::ordered_json> corner_parameters(const proto::SearchSpace& space);

/// Makes a plan of each of them, as a trial would; the first error, with the parameters that cause it.
[[nodiscard]] Result<void> check_search_space(const proto::SearchSpace& space,
                                              const nlohmann::ordered_json& fixed_entries,
                                              const std::vector<compression::Layer>& layers,
                                              std::int64_t finetuning_epochs);

}  // namespace lathe::trial

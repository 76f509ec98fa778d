// The `trainingService:` block.
#pragma once

#include <vector>

#include <lathe/proto/training_service.hpp>

#include "path_resolver.hpp"
#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

/// An object, or a list of them (hybrid). What is wrong goes to `problems`.
[[nodiscard]] std::vector<TrainingService> read_training_services(const Value& value, const PathResolver& paths,
                                                                  Problems& problems);

}  // namespace lathe::proto

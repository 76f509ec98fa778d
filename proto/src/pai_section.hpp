// `trainingService: {platform: pai}`, NNI's openpai.
#pragma once

#include <nlohmann/json.hpp>

#include <lathe/proto/training_service.hpp>

#include "path_resolver.hpp"
#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

[[nodiscard]] PaiService read_pai(const Value& value, const PathResolver& paths, Problems& problems);

/// Canonical form, without the token.
[[nodiscard]] nlohmann::ordered_json service_json(const PaiService& service);

}  // namespace lathe::proto

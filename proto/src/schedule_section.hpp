// The `schedule:` of a learning rate.
#pragma once

#include <lathe/proto/compression_config.hpp>

#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

/// A bare type, or an object with the keys of its type.
[[nodiscard]] ScheduleConfig read_schedule(const Value& value, Problems& problems);
[[nodiscard]] nlohmann::ordered_json schedule_json(const ScheduleConfig& config);

}  // namespace lathe::proto

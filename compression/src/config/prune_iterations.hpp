// The rounds of a lottery ticket, which all entries of a config_list share.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <lathe/compression/config_list.hpp>

namespace lathe::compression {

/// What the entries that say it agree on; none when none does. The error names two that differ.
[[nodiscard]] Result<std::optional<std::int64_t>> common_prune_iterations(const std::vector<ConfigEntry>& entries);

}  // namespace lathe::compression

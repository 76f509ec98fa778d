#include "config/prune_iterations.hpp"

#include <fmt/format.h>

namespace lathe::compression {

Result<std::optional<std::int64_t>> common_prune_iterations(const std::vector<ConfigEntry>& entries) {
  const ConfigEntry* first = nullptr;
  for (const ConfigEntry& entry : entries) {
    const auto& rounds = entry.target.prune_iterations;
    if (!rounds) continue;
    if (first == nullptr) first = &entry;
    if (*rounds == *first->target.prune_iterations) continue;
    return fail(fmt::format("{}: prune_iterations is {}, and {} in {}; they must be equal in all entries", entry.label,
                            *rounds, *first->target.prune_iterations, first->label));
  }
  return first == nullptr ? std::nullopt : first->target.prune_iterations;
}

}  // namespace lathe::compression

// Writes new numbers into the program, where it was written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "speedup/numbers.hpp"

namespace lathe::compression {

/// Code that runs in several places and would need different numbers in each.
struct PatchConflict {
  std::size_t call = 0;  ///< in the trace
};

/// Edits the methods and functions that `flat` was made from, so that every call gets what it should. A literal becomes
/// another; a computed number e becomes e * p // q, so that it still follows the batch and the size of the image.
/// Nothing is edited when there is a conflict.
[[nodiscard]] std::optional<PatchConflict> patch_numbers(const FlatGraph& flat, const ChannelTrace& trace,
                                                         const std::vector<SeenNumber>& numbers);

}  // namespace lathe::compression

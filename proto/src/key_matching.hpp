// Names as people write them: which known one is meant, which one is nearest.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lathe::proto {

/// Lower case without underscores: `trial_concurrency` and `trialConcurrency` become the same.
[[nodiscard]] std::string normalized_key(std::string_view name);

/// The known name that differs from `name` by few enough edits or swaps of letters to be meant; nullopt: none does.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view name, std::span<const std::string_view> known);

/// `; did you mean "x"?`, or nothing when no known name is near.
[[nodiscard]] std::string suggestion(std::string_view name, std::span<const std::string_view> known);

/// `a, b or c`.
[[nodiscard]] std::string listed(std::span<const std::string_view> names);

}  // namespace lathe::proto

// The last lines of what a trial wrote to stderr, fit for a JSON string.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace lathe::agent {

inline constexpr std::size_t max_tail_bytes = 4096;

/// At most `limit` bytes from the end of the file, beginning with a whole line where the limit holds one, as valid
/// UTF-8 (what is not becomes U+FFFD). Empty when there is no such file or nothing in it.
[[nodiscard]] std::string read_tail(const std::filesystem::path& file, std::size_t limit = max_tail_bytes);

/// `bytes` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view bytes);

}  // namespace lathe::agent

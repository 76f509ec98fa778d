// Files read whole, gzip-compressed ones decompressed on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// The content of `file`, plain or gzip (told by its first bytes, not by its name), of at most `limit` bytes.
/// Memory grows with what is really there. Errors name the file.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_bytes(const std::filesystem::path& file,
                                                           std::size_t limit = std::size_t{1} << 36);

/// `records` within [0, count), checked; `file` is for the error.
[[nodiscard]] Result<Records> resolve_records(const Records& records, std::int64_t count,
                                              const std::filesystem::path& file);

}  // namespace lathe::compression

#include "data/byte_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

namespace lathe::compression {
namespace {

struct GzClose {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzHandle = std::unique_ptr<gzFile_s, GzClose>;

constexpr std::size_t kChunk = std::size_t{1} << 20;

tl::unexpected<Error> cannot_read(const std::filesystem::path& file, const char* reason) {
  return fail(fmt::format("{}: cannot be read: {}", file.string(), reason));
}

/// zlib takes a cut stream for its end unless it is asked.
Result<void> check_stream(gzFile handle, const std::filesystem::path& file) {
  int code = Z_OK;
  const char* reason = gzerror(handle, &code);
  if (code == Z_OK || code == Z_STREAM_END) return {};
  if (code == Z_BUF_ERROR) return cannot_read(file, "the gzip stream is cut short");
  return cannot_read(file, code == Z_ERRNO ? std::strerror(errno) : reason);
}

}  // namespace

Result<std::vector<std::uint8_t>> read_bytes(const std::filesystem::path& file, std::size_t limit) {
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) return cannot_read(file, "it is a folder");
  GzHandle handle(gzopen(file.c_str(), "rb"));
  if (!handle) return cannot_read(file, std::strerror(errno));
  gzbuffer(handle.get(), 1U << 17);
  std::vector<std::uint8_t> bytes;
  for (std::size_t used = 0;;) {
    bytes.resize(used + std::max(kChunk, used / 2));
    const int got =
        gzread(handle.get(), bytes.data() + used, static_cast<unsigned>(std::min(bytes.size() - used, kChunk * 64)));
    if (got > 0) used += static_cast<std::size_t>(got);
    if (used > limit) return cannot_read(file, "it is too large");
    if (got > 0) continue;
    if (auto sound = check_stream(handle.get(), file); !sound) return tl::unexpected(sound.error());
    bytes.resize(used);
    return bytes;
  }
}

Result<Records> resolve_records(const Records& records, std::int64_t count, const std::filesystem::path& file) {
  const std::int64_t end = records.end.value_or(count);
  if (records.begin < 0 || records.begin >= end || end > count) {
    return fail(fmt::format("{}: range [{}, {}) does not fit; the file has {} records", file.string(), records.begin,
                            end, count));
  }
  return Records{records.begin, end};
}

}  // namespace lathe::compression

#include "stderr_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>

#include "descriptor.hpp"

namespace lathe::agent {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Length of the UTF-8 character at the start of `bytes`; 0: there is no valid one (RFC 3629).
std::size_t character_length(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(bytes[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(bytes[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool impossible = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || impossible ? 0 : length;
}

/// The last `limit` bytes of `text`, from the first line or at least the first character that begins among them.
std::string_view last_lines(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  const bool starts_line = text[text.size() - limit - 1] == '\n';
  text.remove_prefix(text.size() - limit);
  if (starts_line) return text;
  const std::size_t newline = text.find('\n');
  if (newline != std::string_view::npos && newline + 1 < text.size()) return text.substr(newline + 1);
  while (!text.empty() && is_continuation(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

std::string to_valid_utf8(std::string_view bytes) {
  std::string valid;
  valid.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = character_length(bytes);
    valid += length > 0 ? bytes.substr(0, length) : replacement;
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

std::string read_tail(const std::filesystem::path& file, std::size_t limit) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!descriptor.is_open() || ::fstat(descriptor.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  // One byte more than wanted tells whether the cut falls between two lines.
  const auto size = static_cast<std::size_t>(info.st_size);
  std::string bytes(std::min(size, limit + 1), '\0');
  const ssize_t count = ::pread(descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(size - bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  // Replacing makes it longer, hence the second cut.
  return std::string(last_lines(to_valid_utf8(last_lines(bytes, limit)), limit));
}

}  // namespace lathe::agent

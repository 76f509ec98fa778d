#include "api/plain_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

constexpr std::uint64_t block_bytes = 64 * 1024;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

proto::Result<std::shared_ptr<PlainFile>> PlainFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) {
    const bool is_missing = errno == ENOENT || errno == ENOTDIR;
    const std::string reason = errno == ELOOP ? "it is a symbolic link" : std::generic_category().message(errno);
    return proto::fail(fmt::format("cannot open {}: {}", path.filename().string(), reason),
                       is_missing ? "missing" : "");
  }
  auto file = std::make_shared<PlainFile>(descriptor);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return proto::fail(fmt::format("{} is not a plain file", path.filename().string()));
  }
  return file;
}

PlainFile::~PlainFile() {
  ::close(descriptor_);
}

std::uint64_t PlainFile::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw_errno("fstat");
  return static_cast<std::uint64_t>(status.st_size);
}

std::string PlainFile::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  ssize_t got = 0;
  do {
    got = ::pread(descriptor_, bytes.data(), count, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw_errno("read");
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

std::uint64_t PlainFile::tail_offset(std::int64_t lines) const {
  std::uint64_t end = size();
  if (lines == 0 || end == 0) return end;
  // The newline that ends the last line separates nothing.
  std::uint64_t position = read(end - 1, 1) == "\n" ? end - 1 : end;
  while (position > 0) {
    const std::uint64_t begin = position - std::min(position, block_bytes);
    const std::string block = read(begin, position - begin);
    for (auto index = block.size(); index > 0; --index) {
      if (block[index - 1] == '\n' && --lines == 0) return begin + index;
    }
    position = begin;
  }
  return 0;
}

bool PlainFile::is_still_at(const std::filesystem::path& path) const {
  struct stat mine {};
  struct stat there {};
  if (::fstat(descriptor_, &mine) != 0 || ::lstat(path.c_str(), &there) != 0) return false;
  return mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

}  // namespace lathe::manager

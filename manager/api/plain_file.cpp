#include "api/plain_file.hpp"

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

/// The path from `root` on; `root` may be known by another name than when the path was made.
std::filesystem::path below(const std::filesystem::path& root, const std::filesystem::path& path) {
  const std::filesystem::path relative = path.lexically_proximate(root);
  if (relative.empty() || *relative.begin() != "..") return relative;
  std::error_code error;
  return path.lexically_proximate(std::filesystem::weakly_canonical(root, error));
}

struct Place {
  std::filesystem::path root;
  std::filesystem::path relative;
};

Place place_of(const std::filesystem::path& root, const std::filesystem::path& path) {
  const std::filesystem::path relative = below(root, path);
  const bool is_in_a_folder = relative.has_parent_path() && !relative.is_absolute() && *relative.begin() != "..";
  if (!is_in_a_folder) return {root, relative};
  const std::filesystem::path folder = *relative.begin();
  return {root / folder, relative.lexically_relative(folder)};
}

struct stat status_of(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw_errno("fstat");
  return status;
}

}  // namespace

proto::Result<std::shared_ptr<PlainFile>> PlainFile::open(const std::filesystem::path& root,
                                                          const std::filesystem::path& path) {
  const Place place = place_of(root, path);
  return open_beneath(place.root, place.relative).map([](FileDescriptor descriptor) {
    return std::make_shared<PlainFile>(std::move(descriptor));
  });
}

std::uint64_t PlainFile::size() const {
  return static_cast<std::uint64_t>(status_of(descriptor_.get()).st_size);
}

std::string PlainFile::read(std::uint64_t offset, std::size_t count) const {
  std::string bytes(count, '\0');
  ssize_t got = 0;
  do {
    got = ::pread(descriptor_.get(), bytes.data(), count, static_cast<off_t>(offset));
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

bool PlainFile::is_same_as(const PlainFile& other) const {
  const struct stat mine = status_of(descriptor_.get());
  const struct stat its = status_of(other.descriptor_.get());
  return mine.st_ino == its.st_ino && mine.st_dev == its.st_dev;
}

std::filesystem::path PlainFile::handle() const {
  return fmt::format("/proc/self/fd/{}", descriptor_.get());
}

}  // namespace lathe::manager

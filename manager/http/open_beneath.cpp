#include "http/open_beneath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('\0') == name.npos && name.find('/') == name.npos;
}

tl::unexpected<proto::Error> refuse(const fs::path& relative, const std::string& why, bool is_missing = false) {
  return proto::fail(fmt::format("cannot open {}: {}", relative.filename().string(), why), is_missing ? "missing" : "");
}

tl::unexpected<proto::Error> refuse_errno(const fs::path& relative, int number) {
  if (number == ELOOP) return refuse(relative, "it is a symbolic link");
  const bool is_missing = number == ENOENT || number == ENOTDIR;
  return refuse(relative, std::generic_category().message(number), is_missing);
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

proto::Result<FileDescriptor> open_beneath(const fs::path& root, const fs::path& relative) {
  if (relative.empty() || relative.is_absolute()) return refuse(relative, "it is not below its folder");
  FileDescriptor here(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (here.get() < 0) return refuse_errno(relative, errno);
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    const std::string name = part->string();
    if (!is_plain_name(name)) return refuse(relative, "its path is not a plain one");
    const bool is_last = std::next(part) == relative.end();
    // O_NONBLOCK: opening a pipe must not wait for its writer.
    const int flags = is_last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    FileDescriptor next(::openat(here.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) return refuse_errno(relative, errno);
    here = std::move(next);
  }
  struct stat status {};
  if (::fstat(here.get(), &status) != 0) return refuse_errno(relative, errno);
  if (!S_ISREG(status.st_mode)) return refuse(relative, "it is not a plain file");
  return here;
}

}  // namespace lathe::manager

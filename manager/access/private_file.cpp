#include "access/private_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = 1 << 20;

tl::unexpected<proto::Error> refuse(const fs::path& path, const std::string& why, const char* field = "") {
  return proto::fail(fmt::format("{}: {}", path.string(), why), field);
}

tl::unexpected<proto::Error> refuse_errno(const fs::path& path) {
  if (errno == ELOOP) return refuse(path, "it is a symbolic link, and must be a file of its own");
  return refuse(path, std::generic_category().message(errno), errno == ENOENT ? "missing" : "");
}

/// Whose files are in the folder of `path`: this process's user, or if that is root the folder's owner, so that root
/// may look after the files of a service.
uid_t rightful_owner(const fs::path& path) {
  struct stat folder {};
  if (::geteuid() != 0 || ::stat(path.parent_path().c_str(), &folder) != 0) return ::geteuid();
  return folder.st_uid;
}

bool give_to_owner(int file, const fs::path& path) {
  return ::geteuid() != 0 || ::fchown(file, rightful_owner(path), static_cast<gid_t>(-1)) == 0;
}

proto::Result<void> check_access(const fs::path& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return refuse(path, "it is not a plain file");
  if (const uid_t owner = rightful_owner(path); status.st_uid != owner) {
    return refuse(path, fmt::format("it belongs to user {}, and must belong to user {}; run: chown {} {}",
                                    status.st_uid, owner, owner, path.string()));
  }
  if ((status.st_mode & 077) != 0) {
    return refuse(path, fmt::format("other users can read or write it (its mode is {:04o}); run: chmod 600 {}",
                                    status.st_mode & 07777, path.string()));
  }
  return {};
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file) == 0;
}

}  // namespace

proto::Result<PrivateText> read_private(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  PrivateText content;
  if (file.get() < 0 || ::fstat(file.get(), &content.status) != 0) return refuse_errno(path);
  if (auto checked = check_access(path, content.status); !checked) return tl::unexpected(checked.error());
  content.text.resize(kLargest);
  const ssize_t count = ::read(file.get(), content.text.data(), content.text.size());
  if (count < 0) return refuse_errno(path);
  if (static_cast<std::size_t>(count) == kLargest) return refuse(path, "it is larger than 1 MiB");
  content.text.resize(static_cast<std::size_t>(count));
  return content;
}

proto::Result<void> write_private(const fs::path& path, std::string_view text) {
  const fs::path temporary = path.string() + ".new";
  ::unlink(temporary.c_str());
  const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return refuse_errno(temporary);
  if (!give_to_owner(file.get(), path) || !write_all(file.get(), text) ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto refusal = refuse_errno(temporary);
    ::unlink(temporary.c_str());
    return refusal;
  }
  return {};
}

proto::Result<FileDescriptor> lock_file(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0 || !give_to_owner(file.get(), path)) return refuse_errno(path);
  int locked = 0;
  do {
    locked = ::flock(file.get(), LOCK_EX);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0) return refuse_errno(path);
  return file;
}

}  // namespace lathe::manager

#include "code_tree.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "descriptor.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using proto::fail;

constexpr std::size_t chunk_bytes = 8 << 20;  ///< between two looks at `stop`

bool is_inside(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

class TreeCopy {
 public:
  TreeCopy(fs::path from, fs::path to, const std::atomic<bool>& stop)
      : from_(std::move(from)), to_(std::move(to)), stop_(stop) {}

  proto::Result<void> run() {
    if (auto made = make_folder(fs::path()); !made) return made;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(from_, error), end; !error && entry != end; entry.increment(error)) {
      if (stop_) return fail("code tree: the copy was stopped");
      if (auto copied = copy(*entry); !copied) return copied;
    }
    if (error) return fail("code tree: cannot read " + from_.string() + ": " + error.message());
    return restrict_folders();
  }

 private:
  proto::Result<void> copy(const fs::directory_entry& entry) {
    const fs::path name = entry.path().lexically_relative(from_);
    std::error_code error;
    const fs::file_type type = entry.symlink_status(error).type();
    if (error) return fail("code tree: cannot read " + entry.path().string() + ": " + error.message());
    if (type == fs::file_type::directory) return make_folder(name);
    if (type == fs::file_type::regular) return copy_file(name);
    if (type == fs::file_type::symlink) return copy_link(name);
    return {};
  }

  /// Writable by us until its content is there.
  proto::Result<void> make_folder(const fs::path& name) {
    struct stat info {};
    if (::stat((from_ / name).c_str(), &info) != 0) return failed("cannot read", from_ / name);
    if (::mkdir((to_ / name).c_str(), 0700) != 0) return failed("cannot make", to_ / name);
    folders_.push_back({to_ / name, info.st_mode & 07777});
    return {};
  }

  proto::Result<void> restrict_folders() {
    for (const auto& [path, mode] : folders_) {
      if (::chmod(path.c_str(), mode) != 0) return failed("cannot set the permissions of", path);
    }
    return {};
  }

  proto::Result<void> copy_link(const fs::path& name) {
    std::error_code error;
    const fs::path target = fs::read_symlink(from_ / name, error);
    if (error) return fail("code tree: cannot read " + (from_ / name).string() + ": " + error.message());
    const fs::path leads_to = fs::weakly_canonical((from_ / name).parent_path() / target, error);
    if (error || target.is_absolute() || !is_inside(leads_to, from_)) {
      return fail("code tree: the link " + (from_ / name).string() + " -> " + target.string() +
                  " leads out of the tree; links must be relative and stay inside");
    }
    fs::create_symlink(target, to_ / name, error);
    if (error) return fail("code tree: cannot make " + (to_ / name).string() + ": " + error.message());
    return {};
  }

  proto::Result<void> copy_file(const fs::path& name) {
    const Descriptor source(::open((from_ / name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!source.is_open() || ::fstat(source.get(), &info) != 0) return failed("cannot read", from_ / name);
    const Descriptor target(::open((to_ / name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!target.is_open()) return failed("cannot make", to_ / name);
    if (::ioctl(target.get(), FICLONE, source.get()) != 0) {
      if (auto copied = copy_content(source, target, name); !copied) return copied;
    }
    const std::array<timespec, 2> times{info.st_atim, info.st_mtim};
    if (::fchmod(target.get(), info.st_mode & 0777) != 0 || ::futimens(target.get(), times.data()) != 0) {
      return failed("cannot set the permissions of", to_ / name);
    }
    return {};
  }

  proto::Result<void> copy_content(const Descriptor& source, const Descriptor& target, const fs::path& name) {
    for (;;) {
      if (stop_) return fail("code tree: the copy was stopped");
      const ssize_t count = ::copy_file_range(source.get(), nullptr, target.get(), nullptr, chunk_bytes, 0);
      if (count == 0) return {};
      if (count > 0) continue;
      if (errno == EINTR) continue;
      // Between two file systems of an old kernel, or where there is no such call.
      const bool can_be_read = errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
      if (!can_be_read) return failed("cannot copy", from_ / name);
      return read_and_write(source, target, name);
    }
  }

  proto::Result<void> read_and_write(const Descriptor& source, const Descriptor& target, const fs::path& name) {
    std::vector<char> bytes(chunk_bytes / 8);
    for (;;) {
      if (stop_) return fail("code tree: the copy was stopped");
      const ssize_t count = ::read(source.get(), bytes.data(), bytes.size());
      if (count == 0) return {};
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("cannot read", from_ / name);
      for (ssize_t done = 0; done < count;) {
        const ssize_t written = ::write(target.get(), bytes.data() + done, static_cast<std::size_t>(count - done));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("cannot write", to_ / name);
        done += written;
      }
    }
  }

  static proto::Result<void> failed(const std::string& what, const fs::path& path) {
    return fail(describe_errno("code tree: " + what + " " + path.string()));
  }

  struct Folder {
    fs::path path;
    mode_t mode = 0;
  };

  fs::path from_;
  fs::path to_;
  const std::atomic<bool>& stop_;
  std::vector<Folder> folders_;
};

}  // namespace

proto::Result<void> copy_code_tree(const fs::path& from, const fs::path& to, const std::atomic<bool>& stop) {
  std::error_code error;
  const fs::path source = fs::canonical(from, error);
  if (error) return fail("code tree: cannot read \"" + from.string() + "\": " + error.message());
  const fs::path target = fs::weakly_canonical(to, error);
  if (error) return fail("code tree: cannot use \"" + to.string() + "\": " + error.message());
  if (!from.is_absolute() || !fs::is_directory(source)) {
    return fail("code tree: \"" + from.string() + "\" is not the absolute path of a folder");
  }
  if (is_inside(target, source)) {
    return fail("code tree: " + source.string() + " holds the trial's own folder " + target.string());
  }
  fs::remove_all(target, error);
  if (error) return fail("code tree: cannot remove " + target.string() + ": " + error.message());
  fs::create_directories(target.parent_path(), error);
  if (error) return fail("code tree: cannot make " + target.parent_path().string() + ": " + error.message());
  return TreeCopy(source, target, stop).run();
}

}  // namespace lathe::agent

#include "file_store.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <vector>

#include "descriptor.hpp"
#include "system_error.hpp"

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;
using proto::fail;
using proto::Result;

constexpr std::size_t copy_bytes = 256 * 1024;
constexpr std::uint64_t margin_bytes = 64 << 20;  ///< stays free when room is made
constexpr std::chrono::hours longest_arrival{24};
constexpr std::string_view runnable_suffix = ".run";

Result<void> copy_bytes_of(const Descriptor& source, const Descriptor& target, const fs::path& from,
                           const fs::path& to) {
  std::vector<char> chunk(copy_bytes);
  for (;;) {
    const ssize_t count = ::read(source.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(describe_errno("cannot read " + from.string()));
    if (count == 0) return {};
    for (ssize_t done = 0; done < count;) {
      const ssize_t written = ::write(target.get(), chunk.data() + done, static_cast<std::size_t>(count - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail(describe_errno("cannot write " + to.string()));
      done += written;
    }
  }
}

/// Sharing the blocks where the file system can.
Result<void> copy(const fs::path& from, const fs::path& to, unsigned mode) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.is_open()) return fail(describe_errno("cannot read " + from.string()));
  const Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target.is_open()) return fail(describe_errno("cannot write " + to.string()));
  if (::ioctl(target.get(), FICLONE, source.get()) != 0) {
    if (auto copied = copy_bytes_of(source, target, from, to); !copied) return copied;
  }
  if (::fchmod(target.get(), mode & 0777) != 0) return fail(describe_errno("cannot write " + to.string()));
  return {};
}

/// The time of reading alone: that of writing tells trials that a file has changed.
void mark_used(const fs::path& file) {
  const std::array<timespec, 2> times{timespec{0, UTIME_NOW}, timespec{0, UTIME_OMIT}};
  ::utimensat(AT_FDCWD, file.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

/// Whatever it is a part of; a hash or something else.
std::string hash_in(const fs::path& file) {
  std::string name = file.filename().string();
  if (name.ends_with(runnable_suffix)) name.resize(name.size() - runnable_suffix.size());
  return name;
}

struct Idle {
  fs::path file;
  std::time_t since = 0;
};

/// Files of the store that are linked from nowhere.
std::vector<Idle> idle_files(const fs::path& folder) {
  std::vector<Idle> found;
  std::error_code error;
  for (auto each = fs::directory_iterator(folder, error); !error && each != fs::end(each); each.increment(error)) {
    struct stat status {};
    if (::lstat(each->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1) continue;
    found.push_back({each->path(), std::max(status.st_atim.tv_sec, status.st_mtim.tv_sec)});
  }
  return found;
}

std::uint64_t free_bytes(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return error ? 0 : space.available;
}

}  // namespace

Result<void> FileStore::open() {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return fail("cannot create " + folder_.string() + ": " + error.message());
  return {};
}

bool FileStore::has(const std::string& hash) {
  asked_.insert(hash);
  std::error_code ignored;
  const bool is_here = fs::is_regular_file(folder_ / hash, ignored);
  if (is_here) mark_used(folder_ / hash);
  return is_here;
}

Result<void> FileStore::keep(const std::string& hash, std::uint64_t size, proto::FileStream& stream) {
  make_room(size);
  const fs::path arrived = folder_ / (hash + ".unchecked");
  const auto received = stream.receive_file(arrived, size, 0444);
  if (!received) return tl::unexpected(received.error());
  std::error_code error;
  if (*received == hash) {
    fs::rename(arrived, folder_ / hash, error);
    if (error) return fail("cannot write " + (folder_ / hash).string() + ": " + error.message());
    return {};
  }
  fs::remove(arrived, error);
  return fail("a file changed while it was being sent");
}

Result<void> FileStore::place(const Placement& placement) const {
  const fs::path temporary = placement.to.string() + ".placing";
  ::unlink(temporary.c_str());
  auto made = placement.own ? copy(folder_ / placement.hash, temporary, placement.mode) : share(placement, temporary);
  if (made && std::rename(temporary.c_str(), placement.to.c_str()) != 0)
    made = fail(describe_errno("cannot write " + placement.to.string()));
  // Two names of one file: rename() leaves both.
  ::unlink(temporary.c_str());
  return made;
}

/// What nobody is to write needs no second copy on disk, but for those of the modes "read" and "read and run".
Result<void> FileStore::share(const Placement& placement, const fs::path& to) const {
  fs::path stored = folder_ / placement.hash;
  std::error_code ignored;
  if ((placement.mode & S_IXUSR) != 0) {
    const fs::path runnable = stored.string() + std::string(runnable_suffix);
    if (!fs::exists(runnable, ignored)) {
      const fs::path temporary = runnable.string() + ".unchecked";
      ::unlink(temporary.c_str());
      if (auto copied = copy(stored, temporary, 0555); !copied) return copied;
      if (std::rename(temporary.c_str(), runnable.c_str()) != 0)
        return fail(describe_errno("cannot write " + runnable.string()));
    }
    stored = runnable;
    mark_used(stored);
  }
  return ::link(stored.c_str(), to.c_str()) == 0 ? Result<void>() : copy(stored, to, placement.mode);
}

std::uint64_t FileStore::size_of(const std::string& hash) const {
  std::error_code error;
  const std::uint64_t size = fs::file_size(folder_ / hash, error);
  return error ? 0 : size;
}

void FileStore::make_room(std::uint64_t bytes) {
  if (free_bytes(folder_) >= bytes + margin_bytes) return;
  std::vector<Idle> idle = idle_files(folder_);
  std::sort(idle.begin(), idle.end(),
            [](const Idle& a, const Idle& b) { return a.since != b.since ? a.since < b.since : a.file < b.file; });
  for (const Idle& each : idle) {
    if (free_bytes(folder_) >= bytes + margin_bytes) return;
    if (!asked_.contains(hash_in(each.file))) ::unlink(each.file.c_str());
  }
}

void FileStore::prune() {
  const std::time_t now = std::time(nullptr);
  const auto seconds = [](std::chrono::hours span) { return std::chrono::seconds(span).count(); };
  for (const Idle& each : idle_files(folder_)) {
    const auto longest = proto::is_hash(hash_in(each.file)) ? longest_idleness : longest_arrival;
    if (now - each.since > seconds(longest) && !asked_.contains(hash_in(each.file))) ::unlink(each.file.c_str());
  }
}

std::string explain_full_disk(const std::string& error, const fs::path& folder, std::uint64_t needed) {
  const auto says = [&error](int code) {
    return error.find(std::generic_category().message(code)) != std::string::npos;
  };
  if (!says(ENOSPC) && !says(EDQUOT)) return error;
  return error + ": the disk of " + folder.string() + " there has " + std::to_string(free_bytes(folder) >> 10) +
         " KiB free, and " + std::to_string((needed + 1023) >> 10) +
         " KiB are needed: remove something there, or set LATHE_HOME to a folder of a larger disk";
}

}  // namespace lathe::agent

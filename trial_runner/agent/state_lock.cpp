#include "state_lock.hpp"

#include <fcntl.h>

#include <array>
#include <string>

#include "system_error.hpp"

namespace lathe::agent {
namespace {

std::string owner(int fd) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size(), 0);
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count)) : "?";
}

}  // namespace

tl::expected<StateLock, StateLock::Refusal> StateLock::take(const std::filesystem::path& state_dir) {
  const std::string path = (state_dir / "lock").string();
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) return tl::unexpected<Refusal>(Refusal{false, describe_errno("cannot open " + path)});
  // Of this process alone: unlike flock's, it does not pass to a child that has not closed its descriptors yet.
  struct flock whole_file {};
  whole_file.l_type = F_WRLCK;
  whole_file.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_SETLK, &whole_file) == 0) return StateLock(std::move(file));
  if (errno != EACCES && errno != EAGAIN)
    return tl::unexpected<Refusal>(Refusal{false, describe_errno("cannot lock " + path)});
  return tl::unexpected<Refusal>(
      Refusal{true, "another agent (process " + owner(file.get()) + ") runs in " + state_dir.string()});
}

void StateLock::note_owner() const {
  const std::string pid = std::to_string(::getpid());
  // Only for show: a disk too full to hold it is no reason to stop.
  if (::ftruncate(file_.get(), 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(file_.get(), pid.data(), pid.size(), 0);
}

}  // namespace lathe::agent

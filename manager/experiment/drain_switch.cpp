#include "experiment/drain_switch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

/// A name that was made or removed is on disk when its folder is.
bool sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return synced;
}

bool make_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  ::close(descriptor);
  return true;
}

}  // namespace

void DrainSwitch::load() {
  std::error_code error;
  is_on_ = std::filesystem::exists(file_, error);
}

proto::Result<void> DrainSwitch::store(bool on) const {
  const bool changed = on ? make_file(file_) : ::unlink(file_.c_str()) == 0 || errno == ENOENT;
  if (changed && sync_folder(file_.parent_path())) return {};
  return proto::fail(
      fmt::format("cannot {} {}: {}", on ? "make" : "remove", file_.string(), std::generic_category().message(errno)));
}

}  // namespace lathe::manager

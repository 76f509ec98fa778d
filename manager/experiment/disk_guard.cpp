#include "experiment/disk_guard.hpp"

#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

std::uint64_t mebibytes(std::uint64_t bytes) {
  return (bytes + (1 << 20) - 1) >> 20;
}

}  // namespace

std::string DiskGuard::obstacle() const {
  if (reserve_ == 0) return {};
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder_, error);
  if (error || space.available >= reserve_) return {};
  return fmt::format("the disk of {} is full but for {} MiB: trials are started again once {} MiB are free (--reserve)",
                     folder_.string(), space.available >> 20, mebibytes(reserve_));
}

}  // namespace lathe::manager

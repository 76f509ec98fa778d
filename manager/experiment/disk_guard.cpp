#include "experiment/disk_guard.hpp"

#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

std::uint64_t mebibytes(std::uint64_t bytes) {
  return (bytes + (1 << 20) - 1) >> 20;
}

constexpr std::string_view kAdvice =
    "remove files there, delete experiments (lathectl experiment delete) or move the data folder to a larger disk";

}  // namespace

std::string DiskGuard::obstacle() const {
  if (reserve_ == 0) return {};
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder_, error);
  if (error || space.available >= reserve_) return {};
  return fmt::format(
      "the disk of {} is full but for {} MiB: trials are started again once {} MiB are free (--reserve): {}",
      folder_.string(), space.available >> 20, mebibytes(reserve_), kAdvice);
}

std::string DiskGuard::obstacle_after(const std::string& error) const {
  std::error_code unknown;
  const std::filesystem::space_info space = std::filesystem::space(folder_, unknown);
  if (unknown) return error;
  return fmt::format("{}: the disk of {} has {} KiB free, and lathed keeps {} MiB for its records (--reserve): {}",
                     error, folder_.string(), space.available >> 10, mebibytes(reserve_), kAdvice);
}

}  // namespace lathe::manager

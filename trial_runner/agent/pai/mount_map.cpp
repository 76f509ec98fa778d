#include "pai/mount_map.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace lathe::agent {
namespace {

namespace fs = std::filesystem;

/// The way from `folder` down to `path`; nullopt: it does not lie below.
std::optional<fs::path> below(const fs::path& path, const fs::path& folder) {
  const auto [at, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  if (at != folder.end()) return std::nullopt;
  fs::path way;
  for (auto step = rest; step != path.end(); ++step) way /= *step;
  return way;
}

/// Without a slash at the end, which would be a step of its own.
fs::path plain(const fs::path& path) {
  fs::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

fs::path real(const fs::path& path) {
  std::error_code error;
  fs::path found = fs::weakly_canonical(path, error);
  return plain(error ? path : found);
}

}  // namespace

std::optional<std::string> MountMap::inside(const fs::path& path) const {
  auto way = below(plain(path), plain(local));
  if (!way) way = below(real(path), real(local));
  if (!way || (!way->empty() && *way->begin() == "..")) return std::nullopt;
  return way->empty() ? container : (fs::path(container) / *way).string();
}

std::map<std::string, std::string> MountMap::inside(std::map<std::string, std::string> environment) const {
  for (auto& [name, value] : environment) {
    if (!value.starts_with('/') || value.find(':') != std::string::npos) continue;
    if (auto mapped = inside(fs::path(value))) value = std::move(*mapped);
  }
  return environment;
}

}  // namespace lathe::agent

// A folder of the shared storage under its two paths: here, and inside the containers.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace lathe::agent {

struct MountMap {
  std::filesystem::path local;  ///< absolute, as the config has it
  std::string container;        ///< absolute

  /// The path as a container has it; nullopt: it is not on the storage. Symbolic links on the way to it count as what
  /// they lead to.
  [[nodiscard]] std::optional<std::string> inside(const std::filesystem::path& path) const;

  /// Variables whose values are paths on the storage (NNI_SYS_DIR and its kind) get the containers' paths.
  [[nodiscard]] std::map<std::string, std::string> inside(std::map<std::string, std::string> environment) const;
};

}  // namespace lathe::agent

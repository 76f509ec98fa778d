// What a config says about OpenPAI jobs, as it comes in StartTrial::launcher.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

#include "pai/http_address.hpp"
#include "pai/mount_map.hpp"

namespace lathe::agent {

/// Where a PAI is and in whose name it is asked. What a next agent needs to find jobs again, so it is journalled; the
/// token is not: it is read from its file for every request, and a new one counts at once.
struct PaiAccess {
  std::string url;  ///< "https://pai.example", as HttpAddress reads it
  std::string user;
  std::filesystem::path token_file;
  std::filesystem::path ca_file;  ///< certificates (PEM) to trust instead of the system's; empty: the system's

  [[nodiscard]] nlohmann::ordered_json to_json() const;
  /// An error names the key.
  [[nodiscard]] static proto::Result<PaiAccess> from_json(const nlohmann::ordered_json& json);

  friend bool operator<(const PaiAccess& a, const PaiAccess& b) {
    return std::tie(a.url, a.user, a.token_file, a.ca_file) < std::tie(b.url, b.user, b.token_file, b.ca_file);
  }
};

/// {"kind": "pai", "url", "user", "token_file", "ca_file", "local_mount", "container_mount", "storage", "image",
/// "virtual_cluster", "cpus", "memory_mb", "gpus", "protocol"}.
struct PaiSettings {
  PaiAccess access;
  MountMap mount;               ///< the storage: its folder here and in the containers
  std::string storage;          ///< PAI's name of it; empty: the protocol mounts it
  std::string image;            ///< Docker image; empty: the protocol names it
  std::string virtual_cluster;  ///< empty: the user's default
  std::int64_t cpus = 1;
  std::int64_t memory_mb = 0;  ///< 0: the protocol says it
  std::int64_t gpus = 0;
  nlohmann::ordered_json protocol;  ///< a job protocol to be filled in; null: one is made

  [[nodiscard]] static proto::Result<PaiSettings> from_json(const nlohmann::ordered_json& launcher);
};

}  // namespace lathe::agent

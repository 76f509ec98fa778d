// Passwords, passphrases and tokens of hosts: files in a folder of their own that nobody but the daemon's user can
// read. They are in no database, no answer and no argument; ssh gets them from the files by SSH_ASKPASS.
#pragma once

#include <filesystem>
#include <string>

#include <lathe/proto/result.hpp>
#include <lathe/proto/training_service.hpp>

namespace lathe::manager {

class SecretStore {
 public:
  /// Makes the folder (mode 0700) and the program that ssh asks (0700).
  [[nodiscard]] static proto::Result<SecretStore> open(const std::filesystem::path& folder);

  /// Keeps what the address has; what it does not have stays as it was.
  [[nodiscard]] proto::Result<void> keep(const proto::SshAddress& address) const;

  /// Likewise for a token of OpenPAI; an empty one is not kept.
  [[nodiscard]] proto::Result<void> keep_token(const std::string& host, const proto::Secret& token) const;

  /// Whether there is one for the machine of that name.
  [[nodiscard]] bool has(const std::string& host) const;

  [[nodiscard]] std::filesystem::path askpass() const { return folder_ / "askpass"; }
  [[nodiscard]] std::filesystem::path password_file(const std::string& host) const;
  [[nodiscard]] std::filesystem::path passphrase_file(const std::string& host) const;
  [[nodiscard]] std::filesystem::path token_file(const std::string& host) const;

 private:
  explicit SecretStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

}  // namespace lathe::manager

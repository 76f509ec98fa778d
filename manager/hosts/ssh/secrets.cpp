#include "hosts/ssh/secrets.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <lathe/proto/file_stream.hpp>

namespace lathe::manager {

namespace fs = std::filesystem;

namespace {

/// Asked by ssh with its question as the argument. It says yes to no unknown host key.
constexpr std::string_view kAskpass =
    "#!/bin/sh\n"
    "case \"$1\" in\n"
    "*continue\\ connecting*) echo no ;;\n"
    "*assphrase*) exec cat \"$LATHE_SSH_PASSPHRASE_FILE\" ;;\n"
    "*) exec cat \"$LATHE_SSH_PASSWORD_FILE\" ;;\n"
    "esac\n";

proto::Result<void> write_private(const fs::path& file, std::string_view text, mode_t mode) {
  const fs::path temporary = file.string() + ".new";
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  const auto failed = [&] {
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    ::unlink(temporary.c_str());
    return proto::fail(fmt::format("cannot write {}: {}", file.string(), why));
  };
  if (fd < 0) return failed();
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return failed();
  if (::fsync(fd) != 0 || std::rename(temporary.c_str(), file.c_str()) != 0) return failed();
  ::close(fd);
  return {};
}

}  // namespace

proto::Result<SecretStore> SecretStore::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::chmod(folder.c_str(), 0700) != 0)
    return proto::fail(fmt::format("cannot make {} a folder of this user alone", folder.string()));
  SecretStore store(folder);
  if (auto written = write_private(store.askpass(), kAskpass, 0700); !written) return tl::unexpected(written.error());
  return store;
}

proto::Result<void> SecretStore::keep(const proto::SshAddress& address) const {
  const std::string host = address.name();
  if (!address.password.empty()) {
    if (auto kept = write_private(password_file(host), address.password.reveal() + "\n", 0600); !kept) return kept;
  }
  if (!address.passphrase.empty()) {
    if (auto kept = write_private(passphrase_file(host), address.passphrase.reveal() + "\n", 0600); !kept) return kept;
  }
  return {};
}

proto::Result<void> SecretStore::keep_token(const std::string& host, const proto::Secret& token) const {
  return token.empty() ? proto::Result<void>() : write_private(token_file(host), token.reveal() + "\n", 0600);
}

bool SecretStore::has(const std::string& host) const {
  std::error_code ignored;
  return fs::exists(password_file(host), ignored) || fs::exists(passphrase_file(host), ignored);
}

fs::path SecretStore::password_file(const std::string& host) const {
  return folder_ / (proto::hash_of_text(host).substr(0, 16) + ".password");
}

fs::path SecretStore::passphrase_file(const std::string& host) const {
  return folder_ / (proto::hash_of_text(host).substr(0, 16) + ".passphrase");
}

fs::path SecretStore::token_file(const std::string& host) const {
  return folder_ / (proto::hash_of_text(host).substr(0, 16) + ".token");
}

}  // namespace lathe::manager

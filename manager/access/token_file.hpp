// The file of tokens in a data folder, `tokens`: a line for each, `ROLE NAME sha256:HEX`; empty lines and lines that
// begin with # mean nothing. It holds hashes, so that a copy of it opens nothing. Beside it lies `operator-token`, the
// token named `operator` as it is, with which lathectl of the same user on this machine finds its way in.
//
// Both must belong to the user of the daemon, and nobody else may read or write them. Everything here blocks.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <lathe/proto/result.hpp>

#include "access/token.hpp"

namespace lathe::manager {

struct Token {
  Role role = Role::ReadOnly;
  std::string name;  ///< 1 to 64 letters, digits, dots, hyphens and underscores; what logs and people call it
  TokenHash hash{};
};

/// The errors have the number of the line.
[[nodiscard]] proto::Result<std::vector<Token>> parse_tokens(std::string_view text);

class TokenFile {
 public:
  explicit TokenFile(std::filesystem::path data_dir) : folder_(std::move(data_dir)) {}

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "tokens"; }
  [[nodiscard]] std::filesystem::path operator_path() const { return folder_ / "operator-token"; }

  /// The tokens, and what the file looked like when they were read. Refused when others can read or write the file,
  /// when it belongs to another user, or is a symbolic link; the error says what to run.
  struct Content {
    std::vector<Token> tokens;
    struct stat status {};
  };
  [[nodiscard]] proto::Result<Content> read() const;

  /// Makes the file with one admin token, `operator`, and `operator-token`; does nothing when the file is there.
  [[nodiscard]] proto::Result<void> make_if_missing() const;

  /// Adds a token and returns it; it is kept nowhere else, the operator's excepted.
  [[nodiscard]] proto::Result<std::string> add(const std::string& name, Role role) const;
  [[nodiscard]] proto::Result<void> remove(const std::string& name) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace lathe::manager

// Bearer tokens: who has one may use the REST interface, in its role.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lathe::manager {

enum class Role {
  ReadOnly,  ///< GET and HEAD, event streams included
  Admin,     ///< everything
};

/// `read-only`, `admin`.
[[nodiscard]] std::string_view role_name(Role role);
[[nodiscard]] std::optional<Role> parse_role(std::string_view name);

/// 256 random bits of the kernel as text: `lathe_` and 43 characters of base64url (RFC 4648). Throws std::system_error
/// where there is no randomness.
[[nodiscard]] std::string make_token();

/// SHA-256 of a token. It needs neither salt nor many rounds: nobody guesses 256 random bits.
using TokenHash = std::array<std::uint8_t, 32>;
[[nodiscard]] TokenHash hash_token(std::string_view token);

/// Takes the same time whatever the hashes are.
[[nodiscard]] bool is_equal(const TokenHash& a, const TokenHash& b);

/// `sha256:` and 64 hexadecimal digits.
[[nodiscard]] std::string to_text(const TokenHash& hash);
[[nodiscard]] std::optional<TokenHash> parse_hash(std::string_view text);

}  // namespace lathe::manager

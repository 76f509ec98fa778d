#include "access/token.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace lathe::manager {
namespace {

constexpr std::string_view kPrefix = "lathe_";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::array<std::uint8_t, 32> random_bytes() {
  std::array<std::uint8_t, 32> bytes{};
  // Up to 256 bytes come whole or not at all.
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  return bytes;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string_view role_name(Role role) {
  return role == Role::Admin ? "admin" : "read-only";
}

std::optional<Role> parse_role(std::string_view name) {
  for (const Role role : {Role::Admin, Role::ReadOnly}) {
    if (role_name(role) == name) return role;
  }
  return std::nullopt;
}

std::string make_token() {
  std::string text(kPrefix);
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : random_bytes()) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 6; count -= 6) text += kBase64Url[(bits >> (count - 6)) & 63];
  }
  text += kBase64Url[(bits << (6 - count)) & 63];
  return text;
}

TokenHash hash_token(std::string_view token) {
  TokenHash hash{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

bool is_equal(const TokenHash& a, const TokenHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_text(const TokenHash& hash) {
  return fmt::format("{}{:02x}", kHashPrefix, fmt::join(hash, ""));
}

std::optional<TokenHash> parse_hash(std::string_view text) {
  TokenHash hash{};
  if (text.substr(0, kHashPrefix.size()) != kHashPrefix) return std::nullopt;
  text.remove_prefix(kHashPrefix.size());
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t index = 0; index < hash.size(); ++index) {
    const int high = hex_digit(text[2 * index]);
    const int low = hex_digit(text[2 * index + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[index] = static_cast<std::uint8_t>(16 * high + low);
  }
  return hash;
}

}  // namespace lathe::manager

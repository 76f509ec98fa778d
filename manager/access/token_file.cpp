#include "access/token_file.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "access/private_file.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOperator = "operator";
constexpr std::size_t kLongestName = 64;
constexpr std::string_view kHeading =
    "# Tokens of lathed: role (admin or read-only), name, SHA-256 of the token. Make them with `lathed token add`.\n"
    "# A line that is taken out is a token that opens nothing any more, at once.\n";

bool is_name(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !name.empty() && name.size() <= kLongestName && name.find_first_not_of(allowed) == name.npos;
}

/// Cuts the next word off.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view blank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blank));
  line.remove_prefix(word.size());
  return word;
}

tl::unexpected<proto::Error> refuse_line(int number, std::string message) {
  return tl::unexpected(proto::Error{std::move(message), "", "", number});
}

/// nullopt: the line is empty or a remark. What is wrong is told without the line's own words: a token may be among
/// them.
proto::Result<std::optional<Token>> parse_line(std::string_view line, int number) {
  const std::string_view role_text = take_word(line);
  if (role_text.empty() || role_text.front() == '#') return std::nullopt;
  const std::string_view name = take_word(line);
  const std::string_view hash_text = take_word(line);
  const auto role = parse_role(role_text);
  const auto hash = parse_hash(hash_text);
  if (!role) return refuse_line(number, "the first word is no role; expected admin or read-only");
  if (!is_name(name)) return refuse_line(number, "the second word is no name of letters, digits, '.', '-' and '_'");
  if (!hash) return refuse_line(number, "the third word is no hash; expected sha256: and 64 digits 0-9 and a-f");
  if (!take_word(line).empty())
    return refuse_line(number, "there is a fourth word; expected a role, a name and a hash");
  return Token{*role, std::string(name), *hash};
}

auto find_name(const std::vector<Token>& tokens, std::string_view name) {
  return std::find_if(tokens.begin(), tokens.end(), [name](const Token& token) { return token.name == name; });
}

std::string line_of(const Token& token) {
  return fmt::format("{} {} {}\n", role_name(token.role), token.name, to_text(token.hash));
}

/// The text without the line of that name; remarks and order stay.
std::string without(std::string_view text, std::string_view name) {
  std::string kept;
  while (!text.empty()) {
    const auto size = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, size);
    text.remove_prefix(size);
    const auto token = parse_line(line.substr(0, line.find('\n')), 0);
    if (!token || !*token || (*token)->name != name) kept += line;
  }
  return kept;
}

proto::Result<std::vector<Token>> parse_named(std::string_view text, const fs::path& path) {
  auto tokens = parse_tokens(text);
  if (!tokens) tokens.error().file = path.string();
  return tokens;
}

proto::Result<std::string> append_token(const TokenFile& file, std::string text, const std::string& name, Role role) {
  const std::string token = make_token();
  if (!text.empty() && text.back() != '\n') text += '\n';
  // The operator's own file first: a token that lathectl finds and the daemon does not know yet does no harm.
  if (name == kOperator) {
    if (auto written = write_private(file.operator_path(), token + "\n"); !written)
      return tl::unexpected(written.error());
  }
  auto written = write_private(file.path(), text + line_of({role, name, hash_token(token)}));
  if (!written) return tl::unexpected(written.error());
  return token;
}

/// The text of the file, made with the operator's token when there is none. The caller holds the lock.
proto::Result<std::string> text_or_new(const TokenFile& file) {
  auto content = read_private(file.path());
  if (content) return std::move(content->text);
  if (content.error().field != "missing") return tl::unexpected(content.error());
  auto made = append_token(file, std::string(kHeading), std::string(kOperator), Role::Admin);
  if (!made) return tl::unexpected(made.error());
  return read_private(file.path()).map([](PrivateText read) { return std::move(read.text); });
}

}  // namespace

proto::Result<std::vector<Token>> parse_tokens(std::string_view text) {
  std::vector<Token> tokens;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto token = parse_line(line, number);
    if (!token) return tl::unexpected(token.error());
    if (!*token) continue;
    if (find_name(tokens, (*token)->name) != tokens.end())
      return refuse_line(number, fmt::format("there is a token named {} already", (*token)->name));
    tokens.push_back(*std::move(*token));
  }
  return tokens;
}

proto::Result<TokenFile::Content> TokenFile::read() const {
  auto content = read_private(path());
  if (!content) return proto::fail(content.error().message);
  auto tokens = parse_named(content->text, path());
  if (!tokens) return tl::unexpected(tokens.error());
  return Content{*std::move(tokens), content->status};
}

proto::Result<void> TokenFile::make_if_missing() const {
  const auto lock = lock_file(folder_ / "tokens.lock");
  if (!lock) return tl::unexpected(lock.error());
  const auto text = text_or_new(*this);
  if (!text) return tl::unexpected(text.error());
  return {};
}

proto::Result<std::string> TokenFile::add(const std::string& name, Role role) const {
  if (!is_name(name)) {
    return proto::fail(fmt::format("'{}' is no name for a token; expected 1 to {} letters, digits, '.', '-' and '_'",
                                   name, kLongestName));
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  const auto lock = lock_file(folder_ / "tokens.lock");
  if (!lock) return tl::unexpected(lock.error());
  auto text = text_or_new(*this);
  if (!text) return tl::unexpected(text.error());
  const auto tokens = parse_named(*text, path());
  if (!tokens) return tl::unexpected(tokens.error());
  if (find_name(*tokens, name) != tokens->end())
    return proto::fail(fmt::format("there is a token named {} already; remove it first", name));
  return append_token(*this, *std::move(text), name, role);
}

proto::Result<void> TokenFile::remove(const std::string& name) const {
  const auto lock = lock_file(folder_ / "tokens.lock");
  if (!lock) return tl::unexpected(lock.error());
  const auto content = read_private(path());
  if (!content) return proto::fail(content.error().message);
  const auto tokens = parse_named(content->text, path());
  if (!tokens) return tl::unexpected(tokens.error());
  if (find_name(*tokens, name) == tokens->end()) return proto::fail(fmt::format("there is no token named {}", name));
  if (auto written = write_private(path(), without(content->text, name)); !written) return written;
  std::error_code ignored;
  if (name == kOperator) fs::remove(operator_path(), ignored);
  return {};
}

}  // namespace lathe::manager

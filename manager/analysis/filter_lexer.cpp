#include <algorithm>

#include <fmt/format.h>

#include "analysis/filter_node.hpp"

namespace lathe::manager {
namespace {

using Kind = FilterToken::Kind;

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view ends_word = " \t\r\n\"(),=!<>~";

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  proto::Result<std::vector<FilterToken>> run() {
    std::vector<FilterToken> tokens;
    do {
      skip_blanks();
      auto token = next();
      if (!token) return tl::unexpected(token.error());
      tokens.push_back(std::move(*token));
    } while (tokens.back().kind != Kind::End);
    return tokens;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

  /// Moves on by so many bytes; a character counts with its first byte.
  void advance(std::size_t bytes) {
    for (; bytes > 0; --bytes, ++at_) {
      if ((static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) ++character_;
    }
  }

  void skip_blanks() {
    const auto end = std::min(text_.find_first_not_of(blanks, at_), text_.size());
    advance(end - at_);
  }

  proto::Result<FilterToken> next() {
    FilterToken token{Kind::End, "", character_ + 1};
    if (at_end()) return token;
    switch (text_[at_]) {
      case '(':
        return single(token, Kind::Open);
      case ')':
        return single(token, Kind::Close);
      case ',':
        return single(token, Kind::Comma);
      case '"':
        return quoted(token);
      case '=':
      case '!':
      case '<':
      case '>':
      case '~':
        return comparison(token);
      default:
        return word(token);
    }
  }

  FilterToken single(FilterToken token, Kind kind) {
    token.kind = kind;
    token.text = text_[at_];
    advance(1);
    return token;
  }

  proto::Result<FilterToken> comparison(FilterToken token) {
    const bool has_equals = at_ + 1 < text_.size() && text_[at_ + 1] == '=' && text_[at_] != '~';
    token.kind = Kind::Operator;
    token.text = text_.substr(at_, has_equals ? 2 : 1);
    if (token.text == "!") return filter_error(token.position, "found '!', expected != or the word not");
    advance(token.text.size());
    if (token.text == "==") token.text = "=";
    return token;
  }

  FilterToken word(FilterToken token) {
    const auto end = std::min(text_.find_first_of(ends_word, at_), text_.size());
    token.kind = Kind::Word;
    token.text = text_.substr(at_, end - at_);
    advance(end - at_);
    return token;
  }

  proto::Result<FilterToken> quoted(FilterToken token) {
    token.kind = Kind::Quoted;
    advance(1);
    while (!at_end() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        const std::string_view rest = text_.substr(at_ + 1);
        if (rest.empty() || (rest.front() != '"' && rest.front() != '\\'))
          return filter_error(character_ + 1, "found a lone '\\' in quotes, expected \\\" or \\\\");
        advance(1);
      }
      token.text += text_[at_];
      advance(1);
    }
    if (at_end()) return filter_error(token.position, "the quotes that begin here do not end");
    advance(1);
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t character_ = 0;
};

}  // namespace

tl::unexpected<proto::Error> filter_error(std::size_t position, std::string_view message) {
  return proto::fail(fmt::format("at character {}: {}", position, message), "filter");
}

proto::Result<std::vector<FilterToken>> filter_tokens(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace lathe::manager

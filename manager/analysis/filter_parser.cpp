#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "analysis/filter_node.hpp"

namespace lathe::manager {
namespace {

using Kind = FilterNode::Kind;
using Token = FilterToken::Kind;
using Parsed = proto::Result<FilterNode>;

constexpr std::array<std::pair<std::string_view, FilterOperator>, 7> operators{{{"=", FilterOperator::Equal},
                                                                                {"!=", FilterOperator::Unequal},
                                                                                {"<", FilterOperator::Less},
                                                                                {"<=", FilterOperator::LessOrEqual},
                                                                                {">", FilterOperator::Greater},
                                                                                {">=", FilterOperator::GreaterOrEqual},
                                                                                {"~", FilterOperator::Contains}}};
constexpr std::array<std::string_view, 6> keywords{"and", "or", "not", "in", "is", "missing"};
constexpr std::size_t shown_bytes = 60;

bool is_keyword(const FilterToken& token, std::string_view keyword) {
  if (token.kind != Token::Word || token.text.size() != keyword.size()) return false;
  return std::equal(keyword.begin(), keyword.end(), token.text.begin(), [](char wanted, char found) {
    return wanted == (found >= 'A' && found <= 'Z' ? found + 32 : found);
  });
}

bool is_word(const FilterToken& token) {
  if (token.kind == Token::Quoted) return true;
  return token.kind == Token::Word &&
         std::none_of(keywords.begin(), keywords.end(), [&](auto word) { return is_keyword(token, word); });
}

tl::unexpected<proto::Error> unexpected_token(const FilterToken& token, std::string_view expected) {
  if (token.kind == Token::End) return filter_error(token.position, fmt::format("expected {}, but it ends", expected));
  std::string found = token.text;
  if (found.size() > shown_bytes) {
    std::size_t end = shown_bytes;
    while (end > 0 && (static_cast<unsigned char>(found[end]) & 0xC0) == 0x80) --end;
    found = found.substr(0, end) + "…";
  }
  return filter_error(token.position, fmt::format("found '{}', expected {}", found, expected));
}

class Parser {
 public:
  explicit Parser(std::vector<FilterToken> tokens) : tokens_(std::move(tokens)) {}

  Parsed run() {
    Parsed expression = alternatives();
    if (expression && peek().kind != Token::End) return unexpected_token(peek(), "and, or, or the end");
    return expression;
  }

 private:
  [[nodiscard]] const FilterToken& peek() const { return tokens_[at_]; }
  FilterToken take() { return std::move(tokens_[at_++]); }
  bool take_keyword(std::string_view keyword) {
    if (!is_keyword(peek(), keyword)) return false;
    ++at_;
    return true;
  }

  Parsed alternatives() { return joined(Kind::Or, "or", &Parser::conjunction); }
  Parsed conjunction() { return joined(Kind::And, "and", &Parser::term); }

  Parsed joined(Kind kind, std::string_view keyword, Parsed (Parser::*part)()) {
    Parsed first = (this->*part)();
    if (!first || !is_keyword(peek(), keyword)) return first;
    FilterNode node;
    node.kind = kind;
    node.children.push_back(std::move(*first));
    while (take_keyword(keyword)) {
      Parsed next = (this->*part)();
      if (!next) return next;
      node.children.push_back(std::move(*next));
    }
    return node;
  }

  Parsed term() {
    if (++terms_ > Filter::most_terms)
      return filter_error(peek().position, fmt::format("there are more than {} terms", Filter::most_terms));
    const std::size_t position = peek().position;
    const bool is_nested = peek().kind == Token::Open || is_keyword(peek(), "not");
    if (!is_nested) return simple_term();
    if (++depth_ > Filter::deepest_nesting)
      return filter_error(position, fmt::format("it is nested deeper than {} levels", Filter::deepest_nesting));
    Parsed inner = take_keyword("not") ? negation() : parenthesis();
    --depth_;
    return inner;
  }

  Parsed negation() {
    Parsed inner = term();
    if (!inner) return inner;
    return negated(std::move(*inner));
  }

  static FilterNode negated(FilterNode inner) {
    FilterNode node;
    node.kind = Kind::Not;
    node.children.push_back(std::move(inner));
    return node;
  }

  Parsed parenthesis() {
    const FilterToken open = take();
    Parsed inner = alternatives();
    if (!inner) return inner;
    if (peek().kind != Token::Close)
      return unexpected_token(peek(), fmt::format("and, or, or the ')' of the '(' at character {}", open.position));
    ++at_;
    return inner;
  }

  Parsed simple_term() {
    if (!is_word(peek())) return unexpected_token(peek(), "a column, a word, not or '('");
    FilterNode node;
    node.column = take();
    if (peek().kind == Token::Operator) return comparison(std::move(node));
    if (is_keyword(peek(), "in")) return membership(std::move(node));
    if (take_keyword("is")) return absence(std::move(node));
    if (is_keyword(peek(), "not")) {
      ++at_;
      if (!is_keyword(peek(), "in")) return unexpected_token(peek(), "in");
      return membership(std::move(node)).map([](FilterNode inner) { return negated_membership(std::move(inner)); });
    }
    node.kind = Kind::Word;
    node.words.push_back(std::move(node.column));
    return node;
  }

  /// `x not in (…)` is false where x is missing, as every comparison.
  static FilterNode negated_membership(FilterNode inner) {
    FilterNode missing;
    missing.kind = Kind::Missing;
    missing.column = inner.column;
    FilterNode both;
    both.kind = Kind::Or;
    both.children.push_back(std::move(inner));
    both.children.push_back(std::move(missing));
    return negated(std::move(both));
  }

  Parsed comparison(FilterNode node) {
    const FilterToken found = take();
    for (const auto& [text, comparison] : operators) {
      if (text == found.text) node.comparison = comparison;
    }
    if (!is_word(peek())) return unexpected_token(peek(), fmt::format("a value after {}", found.text));
    node.kind = Kind::Compare;
    node.words.push_back(take());
    return node;
  }

  Parsed membership(FilterNode node) {
    ++at_;
    node.kind = Kind::In;
    if (peek().kind != Token::Open) return unexpected_token(peek(), "'(' after in");
    do {
      ++at_;
      if (!is_word(peek())) return unexpected_token(peek(), "a value");
      node.words.push_back(take());
    } while (peek().kind == Token::Comma);
    if (peek().kind != Token::Close) return unexpected_token(peek(), "',' or ')'");
    ++at_;
    return node;
  }

  Parsed absence(FilterNode node) {
    node.kind = Kind::Missing;
    const bool is_negated = take_keyword("not");
    if (!take_keyword("missing")) return unexpected_token(peek(), is_negated ? "missing" : "missing or not missing");
    if (is_negated) return negated(std::move(node));
    return node;
  }

  std::vector<FilterToken> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t terms_ = 0;
};

}  // namespace

proto::Result<Filter> Filter::parse(std::string_view text) {
  Filter filter;
  if (text.size() > longest_text)
    return proto::fail(fmt::format("it is {} bytes long, expected at most {}", text.size(), longest_text), "filter");
  auto tokens = filter_tokens(text);
  if (!tokens) return tl::unexpected(tokens.error());
  if (tokens->front().kind == Token::End) return filter;
  auto root = Parser(std::move(*tokens)).run();
  if (!root) return tl::unexpected(root.error());
  filter.root_ = std::make_shared<const FilterNode>(std::move(*root));
  return filter;
}

}  // namespace lathe::manager

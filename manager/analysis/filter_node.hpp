// A filter as a tree. Of the analysis library only.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <lathe/proto/result.hpp>

#include "analysis/filter.hpp"

namespace lathe::manager {

/// A piece of the text that was written as one: a column, a word, an operator.
struct FilterToken {
  enum class Kind { Word, Quoted, Operator, Open, Close, Comma, End };
  Kind kind = Kind::End;
  std::string text;
  std::size_t position = 0;  ///< character, from 1
};

/// The text in pieces, the last of kind End. Errors: quotes without end, a lone ! or backslash.
[[nodiscard]] proto::Result<std::vector<FilterToken>> filter_tokens(std::string_view text);

enum class FilterOperator { Equal, Unequal, Less, LessOrEqual, Greater, GreaterOrEqual, Contains };

struct FilterNode {
  enum class Kind { And, Or, Not, Compare, In, Missing, Word };
  Kind kind = Kind::And;
  std::vector<FilterNode> children;  ///< of And, Or (two or more), Not (one)
  FilterToken column;                ///< of Compare, In, Missing
  FilterOperator comparison = FilterOperator::Equal;
  std::vector<FilterToken> words;  ///< of Compare and Word (one), of In
};

/// The rows for which a Compare, In, Missing or Word holds.
[[nodiscard]] proto::Result<RowMask> term_mask(const FilterNode& term, const TrialTable& table);

/// The one form of a filter's errors.
[[nodiscard]] tl::unexpected<proto::Error> filter_error(std::size_t position, std::string_view message);

}  // namespace lathe::manager

// Which trials are meant: an expression over the columns of a TrialTable.
//
//   expression  = conjunction { "or" conjunction }
//   conjunction = term { "and" term }
//   term        = "not" term | "(" expression ")" | comparison | word
//   comparison  = column ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~") word
//               | column ["not"] "in" "(" word { "," word } ")"
//               | column "is" ["not"] "missing"
//
// The case of and, or, not, in, is, missing does not matter. A column or a word that is one of these, or holds blanks,
// quotes, commas, parentheses or any of =!<>~, stands in double quotes, with \" and \\ inside.
//
// Numbers are compared by size, texts by bytes. `~` means: contains, whatever the case of ASCII letters. Times are Unix
// milliseconds or UTC: 2026-01-31, 2026-01-31T10:00, 2026-01-31T10:00:00Z. A comparison with a missing value is false,
// `!=` too. A word alone is looked for in every text, and is equal to a sequence number. A column `parameter.…` or
// `metric.…` that no trial has is one without values; any other unknown column is an error.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lathe/proto/result.hpp>

#include "analysis/order.hpp"
#include "analysis/trial_table.hpp"

namespace lathe::manager {

struct FilterNode;

/// One byte a row: 1 where the row is meant.
using RowMask = std::vector<unsigned char>;

class Filter {
 public:
  static constexpr std::size_t longest_text = 16 * 1024;  ///< bytes
  static constexpr std::size_t deepest_nesting = 100;     ///< of parentheses and nots
  static constexpr std::size_t most_terms = 200;

  /// Everything.
  Filter() = default;

  /// Empty or blank: everything. Errors say at which character (from 1) what was found and what was expected.
  [[nodiscard]] static proto::Result<Filter> parse(std::string_view text);

  [[nodiscard]] bool is_everything() const { return root_ == nullptr; }

  /// Errors: a column that is not there, a word that the column cannot be compared with.
  [[nodiscard]] proto::Result<RowMask> mask(const TrialTable& table) const;
  /// The rows that are meant, ascending.
  [[nodiscard]] proto::Result<Rows> rows(const TrialTable& table) const;

 private:
  std::shared_ptr<const FilterNode> root_;
};

}  // namespace lathe::manager

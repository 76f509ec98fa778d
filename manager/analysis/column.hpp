// One property of all trials: numbers, texts, truths or times, any of which may be missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analysis/text_dictionary.hpp"

namespace lathe::manager {

enum class ColumnGroup { Trial, Parameter, Metric };
enum class ColumnType { Number, Text, Boolean, Time };

/// trial, parameter, metric; number, text, boolean, time.
[[nodiscard]] std::string_view to_string(ColumnGroup group);
[[nodiscard]] std::string_view to_string(ColumnType type);

/// A value on its way into a column; nothing: missing.
using Cell = std::variant<std::monostate, double, bool, std::string_view>;

/// A number as text, with the fewest digits that read back as the same.
[[nodiscard]] std::string number_text(double number);

class Column {
 public:
  using Code = TextDictionary::Code;
  static constexpr Code missing_code = std::numeric_limits<Code>::max();
  static constexpr std::size_t longest_text = 256;  ///< bytes; what is longer is cut, and ends with "…"

  Column(std::string name, ColumnGroup group, ColumnType type) : name_(std::move(name)), group_(group), type_(type) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ColumnGroup group() const { return group_; }
  [[nodiscard]] ColumnType type() const { return type_; }
  [[nodiscard]] bool is_text() const { return type_ == ColumnType::Text; }
  /// Rows that have a value.
  [[nodiscard]] std::size_t count() const { return count_; }

  [[nodiscard]] bool has(std::size_t row) const {
    return is_text() ? code(row) != missing_code : number(row) == number(row);
  }
  /// Of a column that is not of texts; truths are 0 and 1, times Unix milliseconds. NaN: missing. Never infinite.
  [[nodiscard]] double number(std::size_t row) const {
    return row < numbers_.size() ? numbers_[row] : std::numeric_limits<double>::quiet_NaN();
  }
  /// Of a column of texts.
  [[nodiscard]] Code code(std::size_t row) const { return row < codes_.size() ? codes_[row] : missing_code; }
  [[nodiscard]] const TextDictionary& texts() const { return texts_; }
  /// The value as text, whatever the column's type; empty: missing.
  [[nodiscard]] std::string text(std::size_t row) const;

  /// A number that is not finite is missing. A value of another kind than the column's turns the column into one of
  /// texts: numbers become number_text(), truths `true` and `false`. The first value decides on the kind of an empty
  /// column.
  void set(std::size_t row, const Cell& cell);
  /// Moves the rows from `row` on by one.
  void insert_row(std::size_t row);

  /// Memory held, roughly.
  [[nodiscard]] std::size_t bytes() const;

 private:
  void set_number(std::size_t row, double number);
  void set_text(std::size_t row, std::string_view text);
  void become_text();

  std::string name_;
  ColumnGroup group_;
  ColumnType type_;
  std::size_t count_ = 0;
  // Only one of the two is used. Both end with the last row that was ever set: parameters of rare choices stay short.
  std::vector<double> numbers_;
  std::vector<Code> codes_;
  TextDictionary texts_;
};

}  // namespace lathe::manager

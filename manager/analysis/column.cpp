#include "analysis/column.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace lathe::manager {
namespace {

constexpr std::array<std::string_view, 3> group_names{"trial", "parameter", "metric"};
constexpr std::array<std::string_view, 4> type_names{"number", "text", "boolean", "time"};
constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view ellipsis = "…";

/// The longest beginning of whole UTF-8 characters, marked as cut.
std::string cut(std::string_view text) {
  std::size_t end = Column::longest_text - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)).append(ellipsis);
}

std::string_view truth(double number) {
  return number != 0 ? "true" : "false";
}

}  // namespace

std::string_view to_string(ColumnGroup group) {
  return group_names[static_cast<std::size_t>(group)];
}

std::string_view to_string(ColumnType type) {
  return type_names[static_cast<std::size_t>(type)];
}

std::string number_text(double number) {
  return fmt::format("{}", number == 0 ? 0.0 : number);
}

std::string Column::text(std::size_t row) const {
  if (!has(row)) return {};
  if (is_text()) return texts_.text(code(row));
  return type_ == ColumnType::Boolean ? std::string(truth(number(row))) : number_text(number(row));
}

void Column::set(std::size_t row, const Cell& cell) {
  if (std::holds_alternative<std::monostate>(cell)) {
    if (!has(row)) return;
    --count_;
    if (is_text())
      codes_[row] = missing_code;
    else
      numbers_[row] = missing;
    return;
  }
  const auto* number = std::get_if<double>(&cell);
  if (number != nullptr && !std::isfinite(*number)) return set(row, {});
  const auto* text = std::get_if<std::string_view>(&cell);
  if (count_ == 0 && group_ != ColumnGroup::Trial) {
    type_ = text != nullptr ? ColumnType::Text : number != nullptr ? ColumnType::Number : ColumnType::Boolean;
  }
  const bool fits =
      is_text() ? text != nullptr : text == nullptr && (number == nullptr) == (type_ == ColumnType::Boolean);
  if (!fits && !is_text()) become_text();
  if (!is_text()) {
    set_number(row, number != nullptr ? *number : static_cast<double>(std::get<bool>(cell)));
  } else if (text != nullptr) {
    set_text(row, *text);
  } else {
    set_text(row, number != nullptr ? number_text(*number) : std::string(truth(std::get<bool>(cell))));
  }
}

void Column::set_number(std::size_t row, double number) {
  if (row >= numbers_.size()) numbers_.resize(row + 1, missing);
  if (!has(row)) ++count_;
  numbers_[row] = number;
}

void Column::set_text(std::size_t row, std::string_view text) {
  if (row >= codes_.size()) codes_.resize(row + 1, missing_code);
  if (!has(row)) ++count_;
  codes_[row] = text.size() > longest_text ? texts_.intern(cut(text)) : texts_.intern(text);
}

void Column::become_text() {
  std::vector<std::pair<std::size_t, std::string>> values;
  for (std::size_t row = 0; row < numbers_.size(); ++row) {
    if (has(row)) values.emplace_back(row, text(row));
  }
  numbers_ = {};
  type_ = ColumnType::Text;
  count_ = 0;
  for (const auto& [row, value] : values) set_text(row, value);
}

void Column::insert_row(std::size_t row) {
  const auto place = static_cast<std::ptrdiff_t>(row);
  if (row < numbers_.size()) numbers_.insert(numbers_.begin() + place, missing);
  if (row < codes_.size()) codes_.insert(codes_.begin() + place, missing_code);
}

std::size_t Column::bytes() const {
  return sizeof(Column) + name_.capacity() + numbers_.capacity() * sizeof(double) + codes_.capacity() * sizeof(Code) +
         texts_.bytes();
}

}  // namespace lathe::manager

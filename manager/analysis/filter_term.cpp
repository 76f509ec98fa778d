// What a single comparison means, by the type of its column.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "analysis/filter_node.hpp"

namespace lathe::manager {
namespace {

using Kind = FilterNode::Kind;
using Op = FilterOperator;

/// True for each text of the dictionary that fulfils the condition.
using TextVerdicts = std::vector<unsigned char>;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

std::optional<double> number_from(std::string_view text) {
  if (text.substr(0, 1) == "+") text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(number)) return std::nullopt;
  return number;
}

/// The digits between two places of the text, as a number.
std::optional<int> digits(std::string_view text, std::size_t begin, std::size_t count) {
  if (text.size() < begin + count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(begin, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// `2026-01-31`, `2026-01-31T10:00`, `2026-01-31T10:00:00`, with or without Z, as Unix milliseconds.
std::optional<double> utc_from(std::string_view text) {
  if (!text.empty() && (text.back() == 'Z' || text.back() == 'z')) text.remove_suffix(1);
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const bool has_time = text.size() > 10;
  const bool has_seconds = text.size() > 16;
  if (text.size() != (has_seconds ? 19u : has_time ? 16u : 10u)) return std::nullopt;
  if (has_time && ((text[10] != 'T' && text[10] != ' ') || text[13] != ':')) return std::nullopt;
  if (has_seconds && text[16] != ':') return std::nullopt;
  const auto hour = has_time ? digits(text, 11, 2) : 0;
  const auto minute = has_time ? digits(text, 14, 2) : 0;
  const auto second = has_seconds ? digits(text, 17, 2) : 0;
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return 1000.0 * (86400.0 * static_cast<double>(days) + 3600.0 * *hour + 60.0 * *minute + *second);
}

/// What a word stands for in a column that is not of texts.
proto::Result<double> value_for(const Column& column, const FilterToken& word) {
  if (column.type() == ColumnType::Boolean) {
    const std::string text = lower_case(word.text);
    if (text == "true" || text == "false") return text == "true" ? 1.0 : 0.0;
    return filter_error(word.position, fmt::format("{} is true or false, expected one of these", column.name()));
  }
  if (const auto number = number_from(word.text)) return *number;
  if (column.type() != ColumnType::Time)
    return filter_error(word.position, fmt::format("{} is a number, expected one", column.name()));
  if (const auto time = utc_from(word.text)) return *time;
  return filter_error(word.position, fmt::format("{} is a time, expected one like 2026-01-31T10:00:00Z or Unix "
                                                 "milliseconds",
                                                 column.name()));
}

template <class Value>
bool holds(Op comparison, const Value& left, const Value& right) {
  switch (comparison) {
    case Op::Equal:
      return left == right;
    case Op::Unequal:
      return left != right;
    case Op::Less:
      return left < right;
    case Op::LessOrEqual:
      return left <= right;
    case Op::Greater:
      return left > right;
    case Op::GreaterOrEqual:
      return left >= right;
    case Op::Contains:
      break;  // of texts only
  }
  return false;
}

RowMask mask_of_numbers(const Column& column, std::size_t rows, const std::function<bool(double)>& condition) {
  RowMask mask(rows);
  for (std::size_t row = 0; row < rows; ++row) mask[row] = column.has(row) && condition(column.number(row)) ? 1 : 0;
  return mask;
}

/// Each text is judged once, however many trials have it.
RowMask mask_of_texts(const Column& column, std::size_t rows,
                      const std::function<bool(const std::string&)>& condition) {
  TextVerdicts verdicts(column.texts().size());
  for (TextDictionary::Code code = 0; code < verdicts.size(); ++code)
    verdicts[code] = condition(column.texts().text(code)) ? 1 : 0;
  RowMask mask(rows);
  for (std::size_t row = 0; row < rows; ++row) mask[row] = column.has(row) ? verdicts[column.code(row)] : 0;
  return mask;
}

std::function<bool(const std::string&)> containing(std::string_view part) {
  return
      [part = lower_case(part)](const std::string& text) { return lower_case(text).find(part) != std::string::npos; };
}

proto::Result<RowMask> compare(const FilterNode& term, const Column& column, std::size_t rows) {
  const FilterToken& word = term.words.front();
  const Op comparison = term.comparison;
  if (column.is_text()) {
    if (comparison == Op::Contains) return mask_of_texts(column, rows, containing(word.text));
    return mask_of_texts(column, rows, [&](const std::string& text) { return holds(comparison, text, word.text); });
  }
  if (comparison == Op::Contains)
    return filter_error(word.position, fmt::format("~ looks into texts, but {} is a {}; expected = or another "
                                                   "comparison",
                                                   column.name(), to_string(column.type())));
  const auto value = value_for(column, word);
  if (!value) return tl::unexpected(value.error());
  return mask_of_numbers(column, rows, [&](double number) { return holds(comparison, number, *value); });
}

proto::Result<RowMask> is_among(const FilterNode& term, const Column& column, std::size_t rows) {
  if (column.is_text()) {
    return mask_of_texts(column, rows, [&](const std::string& text) {
      return std::any_of(term.words.begin(), term.words.end(), [&](const auto& word) { return word.text == text; });
    });
  }
  std::vector<double> values;
  for (const FilterToken& word : term.words) {
    const auto value = value_for(column, word);
    if (!value) return tl::unexpected(value.error());
    values.push_back(*value);
  }
  return mask_of_numbers(
      column, rows, [&](double number) { return std::find(values.begin(), values.end(), number) != values.end(); });
}

RowMask mask_of_word(const FilterToken& word, const TrialTable& table) {
  RowMask mask(table.rows());
  if (const auto number = number_from(word.text)) {
    const bool is_sequence = std::floor(*number) == *number && std::abs(*number) < 1e15;
    const auto row = is_sequence ? table.row_of(static_cast<std::int64_t>(*number)) : std::nullopt;
    if (row) mask[*row] = 1;
  }
  for (const Column* column : table.columns()) {
    if (!column->is_text()) continue;
    const RowMask found = mask_of_texts(*column, table.rows(), containing(word.text));
    for (std::size_t row = 0; row < mask.size(); ++row) mask[row] |= found[row];
  }
  return mask;
}

}  // namespace

proto::Result<RowMask> term_mask(const FilterNode& term, const TrialTable& table) {
  if (term.kind == Kind::Word) return mask_of_word(term.words.front(), table);
  const Column* column = table.find(term.column.text);
  const bool may_come = term.column.text.starts_with("parameter.") || term.column.text.starts_with("metric.");
  if (column == nullptr && !may_come)
    return filter_error(term.column.position,
                        fmt::format("there is no column '{}', expected a trial's own (such as status), parameter.NAME "
                                    "or metric.NAME",
                                    term.column.text.substr(0, 100)));
  if (column == nullptr) return RowMask(table.rows(), term.kind == Kind::Missing ? 1 : 0);
  if (term.kind == Kind::Compare) return compare(term, *column, table.rows());
  if (term.kind == Kind::In) return is_among(term, *column, table.rows());
  RowMask mask(table.rows());
  for (std::size_t row = 0; row < mask.size(); ++row) mask[row] = column->has(row) ? 0 : 1;
  return mask;
}

}  // namespace lathe::manager

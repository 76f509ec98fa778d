#include "analysis/trial_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

struct OwnColumn {
  std::string_view name;
  ColumnType type;
};
constexpr std::array<OwnColumn, 12> own_columns{{{"sequence", ColumnType::Number},
                                                 {"id", ColumnType::Text},
                                                 {"status", ColumnType::Text},
                                                 {"source", ColumnType::Text},
                                                 {"host", ColumnType::Text},
                                                 {"attempt", ColumnType::Number},
                                                 {"submitTime", ColumnType::Time},
                                                 {"startTime", ColumnType::Time},
                                                 {"endTime", ColumnType::Time},
                                                 {"duration", ColumnType::Number},
                                                 {"intermediateCount", ColumnType::Number},
                                                 {"metric", ColumnType::Number}}};

/// How many names of columns that were not kept are remembered, for the count of them.
constexpr std::size_t most_omitted = 10'000;

Cell text_cell(std::string_view text) {
  return text.empty() ? Cell() : Cell(text);
}

template <class Number>
Cell number_cell(const std::optional<Number>& number) {
  return number ? Cell(static_cast<double>(*number)) : Cell();
}

Cell duration_cell(const TrialFacts& facts) {
  if (!facts.start_ms || !facts.end_ms) return {};
  return static_cast<double>(*facts.end_ms - *facts.start_ms) / 1000.0;
}

/// How metrics that JSON cannot say arrive.
bool is_not_finite(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

std::string array_text(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

enum TrialTable::Own : std::size_t {
  Sequence,
  Id,
  Status,
  Source,
  Host,
  Attempt,
  SubmitTime,
  StartTime,
  EndTime,
  Duration,
  IntermediateCount,
  Metric
};

TrialTable::TrialTable() {
  for (const OwnColumn& own : own_columns) {
    by_name_.emplace(own.name, columns_.size());
    columns_.push_back(std::make_unique<Column>(std::string(own.name), ColumnGroup::Trial, own.type));
  }
}

void TrialTable::put(const TrialFacts& facts) {
  ++version_;
  const std::size_t row = make_row(facts.sequence);
  const auto set = [&](Own own, const Cell& cell) { columns_[own]->set(row, cell); };
  set(Id, text_cell(facts.id));
  set(Status, text_cell(facts.status));
  set(Source, text_cell(facts.source));
  set(Host, text_cell(facts.host));
  set(Attempt, static_cast<double>(facts.attempt));
  set(SubmitTime, static_cast<double>(facts.submit_ms));
  set(StartTime, number_cell(facts.start_ms));
  set(EndTime, number_cell(facts.end_ms));
  set(Duration, duration_cell(facts));
  set(IntermediateCount, static_cast<double>(facts.intermediate_count));
  set(Metric, number_cell(facts.metric));
  std::string path = "parameter";
  if (facts.parameters != nullptr) put_leaves(row, ColumnGroup::Parameter, path, *facts.parameters);
  path = "metric";
  if (facts.final_metric == nullptr) return;
  if (!facts.final_metric->is_object()) path += ".default";
  put_leaves(row, ColumnGroup::Metric, path, *facts.final_metric);
}

/// The trial's row; what it had of parameters and metrics is cleared.
std::size_t TrialTable::make_row(std::int64_t sequence) {
  const std::size_t row = lower_bound(sequence);
  if (row < rows_ && this->sequence(row) == sequence) {
    for (std::size_t i = own_columns.size(); i < columns_.size(); ++i) columns_[i]->set(row, {});
    return row;
  }
  if (row < rows_) {
    for (const auto& column : columns_) column->insert_row(row);
  }
  ++rows_;
  columns_[Sequence]->set(row, static_cast<double>(sequence));
  return row;
}

void TrialTable::put_leaves(std::size_t row, ColumnGroup group, std::string& path, const ordered_json& value) {
  if (value.is_null()) return;
  if (value.is_object()) {
    const std::size_t length = path.size();
    for (const auto& [key, child] : value.items()) {
      path.append(".").append(key);
      put_leaves(row, group, path, child);
      path.resize(length);
    }
    return;
  }
  Column* const target = column(group, path);
  if (target == nullptr) return;
  if (value.is_boolean()) {
    target->set(row, value.get<bool>());
  } else if (value.is_number()) {
    target->set(row, value.get<double>());
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (group != ColumnGroup::Metric || !is_not_finite(text)) target->set(row, std::string_view(text));
  } else {
    target->set(row, std::string_view(array_text(value)));
  }
}

Column* TrialTable::column(ColumnGroup group, const std::string& name) {
  if (found_ + 1 < columns_.size() && columns_[found_ + 1]->name() == name) return columns_[++found_].get();
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    found_ = found->second;
    return columns_[found_].get();
  }
  if (columns_.size() >= most_columns || name.size() > longest_name) {
    if (omitted_.size() < most_omitted) omitted_.emplace(name, 0, longest_name + 1);
    return nullptr;
  }
  by_name_.emplace(name, columns_.size());
  found_ = columns_.size();
  columns_.push_back(std::make_unique<Column>(name, group, ColumnType::Number));
  return columns_.back().get();
}

std::vector<const Column*> TrialTable::columns() const {
  std::vector<const Column*> all;
  for (const auto& column : columns_) all.push_back(column.get());
  std::stable_sort(all.begin(), all.end(), [](const Column* a, const Column* b) { return a->group() < b->group(); });
  return all;
}

const Column* TrialTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : columns_[found->second].get();
}

std::int64_t TrialTable::sequence(std::size_t row) const {
  return static_cast<std::int64_t>(columns_[Sequence]->number(row));
}

std::string_view TrialTable::id(std::size_t row) const {
  const Column& ids = *columns_[Id];
  return ids.has(row) ? std::string_view(ids.texts().text(ids.code(row))) : std::string_view();
}

/// The first row whose sequence number is not below. Most experiments have no gaps.
std::size_t TrialTable::lower_bound(std::int64_t sequence) const {
  const auto guess = static_cast<std::size_t>(std::max<std::int64_t>(sequence, 0));
  if (guess < rows_ && this->sequence(guess) == sequence) return guess;
  if (rows_ == 0 || this->sequence(rows_ - 1) < sequence) return rows_;
  std::size_t low = 0;
  std::size_t high = rows_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (this->sequence(middle) < sequence)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::optional<std::size_t> TrialTable::row_of(std::int64_t sequence) const {
  const std::size_t row = lower_bound(sequence);
  if (row == rows_ || this->sequence(row) != sequence) return std::nullopt;
  return row;
}

std::optional<std::size_t> TrialTable::row_of_id(std::string_view id) const {
  const Column& ids = *columns_[Id];
  const auto code = ids.texts().find(id);
  if (!code) return std::nullopt;
  // Ids are numbered as the trials appear, so that a trial is mostly found where its number says.
  for (std::size_t row = *code; row < rows_; ++row) {
    if (ids.code(row) == *code) return row;
  }
  for (std::size_t row = 0; row < std::min<std::size_t>(*code, rows_); ++row) {
    if (ids.code(row) == *code) return row;
  }
  return std::nullopt;
}

std::size_t TrialTable::bytes() const {
  std::size_t total = sizeof(TrialTable);
  for (const auto& column : columns_) total += column->bytes();
  for (const auto& entry : by_name_) total += entry.first.capacity() + 64;
  for (const std::string& name : omitted_) total += name.capacity() + 64;
  return total;
}

}  // namespace lathe::manager

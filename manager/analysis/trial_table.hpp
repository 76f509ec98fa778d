// The trials of one experiment by columns, for what goes over all of them: lists, charts, statistics. 100,000 trials of
// 20 parameters take about 35 MB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/column.hpp"

namespace lathe::manager {

/// What the table takes of a trial. Refers to what the caller holds.
struct TrialFacts {
  std::int64_t sequence = 0;
  std::string_view id;
  std::string_view status;
  std::string_view source;
  std::string_view host;  ///< empty: nowhere yet
  std::int64_t attempt = 0;
  std::int64_t submit_ms = 0;
  std::optional<std::int64_t> start_ms;
  std::optional<std::int64_t> end_ms;
  std::int64_t intermediate_count = 0;
  std::optional<double> metric;
  const nlohmann::ordered_json* parameters = nullptr;    ///< null: none
  const nlohmann::ordered_json* final_metric = nullptr;  ///< a number, or an object
};

/// The columns that every trial has: sequence, id, status, source, host, attempt, submitTime, startTime, endTime,
/// duration (seconds), intermediateCount, metric. Then `parameter.PATH` for each leaf of the parameters and
/// `metric.KEY` for each of the final metric (`metric.default` for a plain number); names of nested objects are joined
/// by dots, arrays are their JSON. Rows are in the order of the sequence numbers.
class TrialTable {
 public:
  static constexpr std::size_t most_columns = 1000;
  static constexpr std::size_t longest_name = 256;  ///< bytes

  TrialTable();

  /// Adds the trial, or brings its row up to date.
  void put(const TrialFacts& facts);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  /// Trial's own ones first, then parameters, then metrics, each in the order of appearance.
  [[nodiscard]] std::vector<const Column*> columns() const;
  /// Null: no trial has it.
  [[nodiscard]] const Column* find(std::string_view name) const;
  /// Columns that were not kept, since there are too many or their names are too long.
  [[nodiscard]] std::size_t omitted() const { return omitted_.size(); }

  [[nodiscard]] std::int64_t sequence(std::size_t row) const;
  [[nodiscard]] std::string_view id(std::size_t row) const;
  [[nodiscard]] std::optional<std::size_t> row_of(std::int64_t sequence) const;
  [[nodiscard]] std::optional<std::size_t> row_of_id(std::string_view id) const;

  /// Counts the changes.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Memory held, roughly.
  [[nodiscard]] std::size_t bytes() const;

 private:
  enum Own : std::size_t;

  [[nodiscard]] std::size_t lower_bound(std::int64_t sequence) const;
  std::size_t make_row(std::int64_t sequence);
  void put_leaves(std::size_t row, ColumnGroup group, std::string& path, const nlohmann::ordered_json& value);
  Column* column(ColumnGroup group, const std::string& name);

  std::size_t rows_ = 0;
  std::uint64_t version_ = 0;
  std::vector<std::unique_ptr<Column>> columns_;  ///< the trial's own ones first
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::size_t found_ = 0;  ///< the column that was looked up last: the next one is asked for next, mostly
  std::set<std::string, std::less<>> omitted_;
};

}  // namespace lathe::manager

#include "api/export_table.hpp"

#include <algorithm>
#include <array>

#include "api/csv.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> fixed_columns{"sequence", "trialId", "status"};

}  // namespace

ordered_json metrics_by_key(const TrialRecord& trial) {
  if (trial.final_metric.is_object()) return trial.final_metric;
  if (!trial.final_metric.is_null()) return {{"default", trial.final_metric}};
  return ordered_json::object();
}

ordered_json exported_trial(const TrialRecord& trial) {
  return {{"sequence", trial.sequence},
          {"trialId", trial.id},
          {"status", std::string(proto::to_string(trial.status))},
          {"parameters", trial.parameters},
          {"metrics", metrics_by_key(trial)}};
}

void ExportTable::add_leaves(const ordered_json& value, const Pointer& path, const std::string& header,
                             std::vector<Column>& columns) {
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      add_leaves(child, path / key, header.empty() ? key : header + "." + key, columns);
    }
    return;
  }
  const bool is_known =
      std::any_of(columns.begin(), columns.end(), [&](const Column& column) { return column.path == path; });
  if (!is_known) columns.push_back({path, header});
}

void ExportTable::add_columns_of(const TrialRecord& trial) {
  if (trial.parameters.is_object()) add_leaves(trial.parameters, Pointer(), "", parameters_);
  add_leaves(metrics_by_key(trial), Pointer(), "", metrics_);
}

std::string ExportTable::header_line() const {
  std::vector<std::string> names(fixed_columns.begin(), fixed_columns.end());
  for (const Column& column : parameters_) names.push_back(column.header);
  const auto taken = names;
  for (const Column& column : metrics_) {
    const bool is_taken = std::find(taken.begin(), taken.end(), column.header) != taken.end();
    names.push_back(is_taken ? "metric." + column.header : column.header);
  }
  for (std::string& name : names) name = csv_text(name);
  return csv_line(names);
}

std::string ExportTable::line(const TrialRecord& trial) const {
  std::vector<std::string> cells{std::to_string(trial.sequence), csv_text(trial.id),
                                 std::string(proto::to_string(trial.status))};
  const auto add_cells = [&cells](const ordered_json& values, const std::vector<Column>& columns) {
    for (const Column& column : columns) {
      const bool is_leaf = values.contains(column.path) && !values.at(column.path).is_object();
      cells.push_back(is_leaf ? csv_value(values.at(column.path)) : std::string());
    }
  };
  add_cells(trial.parameters, parameters_);
  add_cells(metrics_by_key(trial), metrics_);
  return csv_line(cells);
}

}  // namespace lathe::manager

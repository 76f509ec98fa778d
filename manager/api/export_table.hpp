// The trials of an experiment as a table with one column for each parameter and each metric.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "storage/records.hpp"

namespace lathe::manager {

/// Final metrics by key; {"default": x} for a plain value, {} when nothing was reported.
[[nodiscard]] nlohmann::ordered_json metrics_by_key(const TrialRecord& trial);

/// An element of the JSON export.
[[nodiscard]] nlohmann::ordered_json exported_trial(const TrialRecord& trial);

/// The columns, in the order in which the trials show them first. Show it every trial, then ask it for lines.
class ExportTable {
 public:
  void add_columns_of(const TrialRecord& trial);
  /// `sequence,trialId,status`, the parameters (nested names joined by dots), the metrics (`metric.NAME` where NAME is
  /// taken).
  [[nodiscard]] std::string header_line() const;
  [[nodiscard]] std::string line(const TrialRecord& trial) const;

 private:
  using Pointer = nlohmann::ordered_json::json_pointer;
  struct Column {
    Pointer path;  ///< kept as a pointer, since "a.b" may be one name or two
    std::string header;
  };

  static void add_leaves(const nlohmann::ordered_json& value, const Pointer& path, const std::string& header,
                         std::vector<Column>& columns);

  std::vector<Column> parameters_;
  std::vector<Column> metrics_;
};

}  // namespace lathe::manager

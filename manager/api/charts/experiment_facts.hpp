// What the charts of an experiment depend on besides its trials.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <lathe/proto/result.hpp>
#include <lathe/proto/search_space.hpp>

#include "analysis/history.hpp"
#include "storage/records.hpp"

namespace lathe::manager {

class ExperimentFacts {
 public:
  explicit ExperimentFacts(ExperimentRecord record) : record_(std::move(record)) {}

  [[nodiscard]] const ExperimentRecord& record() const { return record_; }

  /// Which way is better in a column: the tuner's way for `metric` and `metric.default`; of the final metrics of
  /// lathe-trial what their names say. None: nobody has said.
  [[nodiscard]] std::optional<Goal> goal_of(std::string_view column) const;
  /// The original model's value of a metric's column.
  [[nodiscard]] std::optional<double> baseline_of(std::string_view column) const;
  /// Parsed from the config.
  [[nodiscard]] proto::Checked<proto::SearchSpace> search_space() const;

  /// Changes with everything above.
  [[nodiscard]] std::size_t fingerprint() const;

 private:
  ExperimentRecord record_;
};

/// minimize, maximize.
[[nodiscard]] std::string_view to_string(Goal goal);

}  // namespace lathe::manager

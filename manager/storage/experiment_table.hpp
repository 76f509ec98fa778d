// Rows of `experiments`. Functions throw SqliteError; they run inside a write job or a read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/error.hpp"
#include "storage/rows.hpp"
#include "storage/sqlite.hpp"

namespace lathe::manager {

void insert_experiment(Connection& connection, const ExperimentRow& row);

/// Writes everything that changes in an experiment's life; `config` only when it is not null. Counts are kept by
/// triggers.
void update_experiment(Connection& connection, const ExperimentRow& row);

/// With its trials, metrics and agents' progress.
void delete_experiment(Connection& connection, const std::string& id);

[[nodiscard]] std::optional<ExperimentRow> find_experiment(Connection& connection, const std::string& id);

[[nodiscard]] bool has_experiment(Connection& connection, const std::string& id);

/// Ids of the experiments in one of these states, oldest first.
[[nodiscard]] std::vector<std::string> experiments_in(Connection& connection,
                                                      const std::vector<proto::ExperimentStatus>& statuses);

/// In the order that is asked for. Every experiment is looked at, one row at a time. A bad cursor is Invalid.
[[nodiscard]] StorageResult<Page<ExperimentRecord>> page_of_experiments(Connection& connection,
                                                                        const ExperimentQuery& query);

}  // namespace lathe::manager

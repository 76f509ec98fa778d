// A database of a test's own, and rows to put into it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "../temp_folder.hpp"
#include "storage/experiment_table.hpp"
#include "storage/schema.hpp"
#include "storage/sqlite.hpp"
#include "storage/trial_table.hpp"

namespace lathe::manager {

inline ExperimentRow experiment_row(const std::string& id) {
  ExperimentRow row;
  row.record.id = id;
  row.record.name = "name of " + id;
  row.record.config = {{"a", 1}};
  row.record.warnings = {"one", "two"};
  row.record.directory = "/x/" + id;
  return row;
}

inline TrialRow trial_row(const std::string& experiment, std::int64_t sequence,
                          proto::TrialStatus status = proto::TrialStatus::Waiting) {
  TrialRow row;
  row.record.experiment_id = experiment;
  row.record.id = "t" + std::to_string(sequence);
  row.record.sequence = sequence;
  row.record.status = status;
  row.record.parameters = {{"x", sequence}};
  row.record.directory = "/x";
  return row;
}

class StorageTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "test.sqlite"; }

  std::unique_ptr<Connection> open() {
    auto connection = std::make_unique<Connection>(file(), Access::ReadWrite);
    const auto migrated = migrate(*connection);
    EXPECT_TRUE(migrated) << migrated.error().message;
    return connection;
  }

  std::int64_t count(Connection& connection, const std::string& sql) {
    Statement statement = connection.prepare(sql);
    return statement.step() ? statement.integer(0) : -1;
  }

  /// An experiment `e1` with trials of which every third has failed.
  static void fill(Connection& connection, int trials) {
    Transaction transaction(connection);
    insert_experiment(connection, experiment_row("e1"));
    for (int i = 0; i < trials; ++i) {
      TrialRow row = trial_row("e1", i, i % 3 == 0 ? proto::TrialStatus::Failed : proto::TrialStatus::Succeeded);
      if (i % 3 != 0) row.record.metric = (i * 37) % 100 / 7.0;
      insert_trial(connection, row);
    }
    transaction.commit();
  }

  TempFolder folder_;
};

}  // namespace lathe::manager

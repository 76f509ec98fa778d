#include "storage/schema.hpp"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace lathe::manager {

namespace {

constexpr std::int64_t kApplicationId = 0x4c415448;  // "LATH"

// Trials are counted by triggers, so that no code path can forget to. Times are Unix milliseconds; JSON is text.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE experiments (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  config TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  start_ms INTEGER,
  end_ms INTEGER,
  run_ms INTEGER NOT NULL,
  next_sequence INTEGER NOT NULL,
  preparation INTEGER NOT NULL,
  preparation_attempt INTEGER NOT NULL,
  preparation_losses INTEGER NOT NULL,
  preparation_agent TEXT NOT NULL,
  baseline TEXT NOT NULL,
  error TEXT NOT NULL,
  warnings TEXT NOT NULL,
  best_trial TEXT,
  best_metric REAL,
  directory TEXT NOT NULL
);

CREATE TABLE trials (
  number INTEGER PRIMARY KEY,
  experiment_id TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  id TEXT NOT NULL,
  status TEXT NOT NULL,
  source TEXT NOT NULL,
  parameters TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  losses INTEGER NOT NULL,
  agent TEXT NOT NULL,
  kill_reason TEXT NOT NULL,
  submit_ms INTEGER NOT NULL,
  start_ms INTEGER,
  end_ms INTEGER,
  exit_code INTEGER,
  signal INTEGER,
  reason TEXT NOT NULL,
  stderr_tail TEXT NOT NULL,
  note TEXT NOT NULL,
  pid INTEGER,
  metric REAL,
  final_metric TEXT NOT NULL,
  intermediate_count INTEGER NOT NULL,
  directory TEXT NOT NULL,
  UNIQUE (experiment_id, sequence),
  UNIQUE (experiment_id, id)
);
CREATE INDEX trials_by_status ON trials (experiment_id, status, sequence);
CREATE INDEX trials_by_metric ON trials (experiment_id, status, metric, sequence);

CREATE TABLE trial_counts (
  experiment_id TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  trials INTEGER NOT NULL,
  PRIMARY KEY (experiment_id, status)
) WITHOUT ROWID;
CREATE TRIGGER count_new_trial AFTER INSERT ON trials BEGIN
  INSERT INTO trial_counts VALUES (new.experiment_id, new.status, 1) ON CONFLICT DO UPDATE SET trials = trials + 1;
END;
CREATE TRIGGER count_changed_trial AFTER UPDATE OF status ON trials WHEN old.status <> new.status BEGIN
  UPDATE trial_counts SET trials = trials - 1 WHERE experiment_id = old.experiment_id AND status = old.status;
  INSERT INTO trial_counts VALUES (new.experiment_id, new.status, 1) ON CONFLICT DO UPDATE SET trials = trials + 1;
END;

CREATE TABLE metrics (
  number INTEGER PRIMARY KEY,
  experiment_id TEXT NOT NULL,
  trial INTEGER NOT NULL,
  type TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (experiment_id, trial, type, attempt, sequence),
  FOREIGN KEY (experiment_id, trial) REFERENCES trials (experiment_id, sequence) ON DELETE CASCADE
);
CREATE INDEX metrics_by_type ON metrics (experiment_id, type);

CREATE TABLE agents (
  state_id TEXT NOT NULL,
  experiment_id TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (experiment_id, state_id)
) WITHOUT ROWID;
)sql";

// Trials that run on several machines: where each attempt ran, and what became of the ones that were run again.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE trials ADD COLUMN host TEXT NOT NULL DEFAULT 'local';
ALTER TABLE trials ADD COLUMN gpus TEXT NOT NULL DEFAULT '[]';
ALTER TABLE trials ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN preparation_host TEXT NOT NULL DEFAULT 'local';

CREATE TABLE attempts (
  experiment_id TEXT NOT NULL,
  trial INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  host TEXT NOT NULL,
  start_ms INTEGER,
  end_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (experiment_id, trial, attempt),
  FOREIGN KEY (experiment_id, trial) REFERENCES trials (experiment_id, sequence) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE drained_hosts (
  host TEXT PRIMARY KEY
) WITHOUT ROWID;
)sql";

constexpr std::array kMigrations{kVersion1, kVersion2};

std::int64_t pragma(Connection& connection, const std::string& name) {
  Statement statement = connection.prepare("PRAGMA " + name);
  return statement.step() ? statement.integer(0) : 0;
}

bool is_empty(Connection& connection) {
  Statement statement = connection.prepare("SELECT count(*) FROM sqlite_master");
  return statement.step() && statement.integer(0) == 0;
}

proto::Result<void> check_version(Connection& connection, std::int64_t version, std::int64_t newest) {
  if (version > newest) {
    return proto::fail(
        fmt::format("the database has version {}, this program knows versions up to {}: use a newer "
                    "lathed, or another data folder",
                    version, newest));
  }
  if (!is_empty(connection) && pragma(connection, "application_id") != kApplicationId) {
    return proto::fail("the file is a SQLite database, but not one of lathed");
  }
  return {};
}

proto::Result<void> check_integrity(Connection& connection) {
  Statement statement = connection.prepare("PRAGMA quick_check(1)");
  if (!statement.step()) return {};
  if (const std::string verdict = statement.text(0); verdict != "ok")
    return proto::fail("the database is damaged: " + verdict);
  return {};
}

}  // namespace

std::span<const std::string_view> migrations() {
  return kMigrations;
}

proto::Result<void> migrate(Connection& connection, std::span<const std::string_view> steps) {
  try {
    const std::int64_t version = pragma(connection, "user_version");
    const auto newest = static_cast<std::int64_t>(steps.size());
    if (auto checked = check_version(connection, version, newest); !checked) return checked;
    if (auto checked = check_integrity(connection); !checked) return checked;
    if (version == newest) return {};
    Transaction transaction(connection);
    for (std::int64_t step = version; step < newest; ++step) {
      connection.execute(std::string(steps[static_cast<std::size_t>(step)]));
    }
    connection.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, newest));
    transaction.commit();
    return {};
  } catch (const SqliteError& error) {
    return proto::fail(error.what());
  }
}

}  // namespace lathe::manager

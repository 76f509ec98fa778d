#include "storage/schema.hpp"

#include <fstream>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/database.hpp"
#include "storage/drained_table.hpp"
#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;

using SchemaTest = StorageTest;

TEST_F(SchemaTest, MigratesAnEmptyFileAndLeavesAMigratedOneAlone) {
  open();
  auto connection = open();
  EXPECT_EQ(count(*connection, "PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  EXPECT_EQ(count(*connection, "PRAGMA foreign_keys"), 1);
  EXPECT_EQ(count(*connection, "PRAGMA synchronous"), 2);
}

TEST_F(SchemaTest, AppliesOnlyTheMissingSteps) {
  const std::vector<std::string_view> first{"CREATE TABLE a (x)"};
  const std::vector<std::string_view> both{"CREATE TABLE a (x)", "CREATE TABLE b (x)"};
  Connection connection(file(), Access::ReadWrite);
  ASSERT_TRUE(migrate(connection, first));
  ASSERT_TRUE(migrate(connection, both));
  EXPECT_EQ(count(connection, "SELECT count(*) FROM sqlite_master WHERE name IN ('a', 'b')"), 2);
}

TEST_F(SchemaTest, AFailingStepLeavesTheOldVersion) {
  const std::vector<std::string_view> first{"CREATE TABLE a (x)"};
  const std::vector<std::string_view> broken{"CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE NONSENSE"};
  Connection connection(file(), Access::ReadWrite);
  ASSERT_TRUE(migrate(connection, first));
  EXPECT_FALSE(migrate(connection, broken));
  EXPECT_EQ(count(connection, "PRAGMA user_version"), 1);
  EXPECT_EQ(count(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
}

TEST_F(SchemaTest, AFirstVersionsDatabaseIsTakenOver) {
  {
    Connection old(file(), Access::ReadWrite);
    ASSERT_TRUE(migrate(old, migrations().first(1)));
    old.execute(
        "INSERT INTO experiments VALUES (NULL, 'e1', 'old', 'RUNNING', '{}', 1, 2, NULL, 3, 2, 2, 0, 0, 'state-1', '', "
        "'', '[]', NULL, NULL, '/x');"
        "INSERT INTO trials VALUES (NULL, 'e1', 0, 't0', 'RUNNING', 'algorithm', '{}', 1, 2, 'state-1', '', 1, 2, "
        "NULL, "
        "NULL, NULL, '', '', '', 7, NULL, '', 0, '/x/t0');");
  }
  const auto connection = open();
  EXPECT_EQ(count(*connection, "PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  const auto rows = live_trials(*connection, "e1");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].record.host, "local");
  EXPECT_TRUE(rows[0].record.gpus.empty());
  EXPECT_EQ(rows[0].losses, 2);
  EXPECT_EQ(rows[0].failures, 0);
  EXPECT_EQ(find_experiment(*connection, "e1")->preparation_host, "local");
  EXPECT_TRUE(drained_hosts(*connection).empty());
}

TEST_F(SchemaTest, RefusesADatabaseOfANewerVersion) {
  open()->execute("PRAGMA user_version = 1000");
  Connection connection(file(), Access::ReadWrite);
  const auto migrated = migrate(connection);
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().message, HasSubstr("version 1000"));
}

TEST_F(SchemaTest, RefusesAnotherProgramsDatabase) {
  Connection(file(), Access::ReadWrite).execute("CREATE TABLE theirs (x)");
  Connection connection(file(), Access::ReadWrite);
  const auto migrated = migrate(connection);
  ASSERT_FALSE(migrated);
  EXPECT_THAT(migrated.error().message, HasSubstr("not one of lathed"));
}

TEST_F(SchemaTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(file()) << std::string(5000, 'x');
  boost::asio::thread_pool pool(1);
  const auto database = Database::open(file(), pool);
  ASSERT_FALSE(database);
  EXPECT_THAT(database.error().message, HasSubstr("not a database"));
}

}  // namespace
}  // namespace lathe::manager

#include "storage/agent_table.hpp"

#include <gtest/gtest.h>

#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using AgentTableTest = StorageTest;

TEST_F(AgentTableTest, ProgressNeverGoesBack) {
  auto connection = open();
  insert_experiment(*connection, experiment_row("e1"));
  store_progress(*connection, "e1", "s", 7);
  store_progress(*connection, "e1", "s", 5);
  store_progress(*connection, "e1", "other", 1);
  EXPECT_EQ(find_progress(*connection, "e1"), (AgentProgress{{"s", 7}, {"other", 1}}));
}

}  // namespace
}  // namespace lathe::manager

#include "storage/drained_table.hpp"

#include <gtest/gtest.h>

#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using DrainedTableTest = StorageTest;

TEST_F(DrainedTableTest, DrainedHostsAreRemembered) {
  store_drained(*open(), "a", true);
  store_drained(*open(), "a", true);
  store_drained(*open(), "b", true);
  store_drained(*open(), "b", false);
  EXPECT_EQ(drained_hosts(*open()), std::set<std::string>{"a"});
}

}  // namespace
}  // namespace lathe::manager

#include "hosts/ssh/attempt_ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kFolders{"experiments/e", "experiments/e/trials/a", "experiments/e/trials/ab",
                                        "experiments/f", "experiments/f/trials/a"};

class AttemptLedgerTest : public ::testing::Test {
 protected:
  std::vector<std::string> dispensable(const std::set<std::string>& needed = {}) {
    return ledger_.dispensable(kFolders, [&](const std::string& folder) { return needed.contains(folder); });
  }

  /// `e/a/0` lies in experiments/e/trials/a.
  AttemptLedger ledger_{[](const std::string& attempt) {
    const std::size_t slash = attempt.find('/');
    return "experiments/" + attempt.substr(0, slash) + "/trials" + attempt.substr(slash, attempt.rfind('/') - slash);
  }};
};

TEST_F(AttemptLedgerTest, WhatIsNotNeededGoesAndIsNamedOnce) {
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e", "experiments/f"));
  EXPECT_THAT(dispensable({"experiments/e"}),
              ElementsAre("experiments/e/trials/a", "experiments/e/trials/ab", "experiments/f"));
  EXPECT_THAT(dispensable({kFolders.begin(), kFolders.end()}), IsEmpty());
}

TEST_F(AttemptLedgerTest, WhatTheAgentRunsStaysWithAllAroundIt) {
  ledger_.begin({"e/a/0"});
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e/trials/ab", "experiments/f"));
  ledger_.started("f/a/3");
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e/trials/ab"));
}

TEST_F(AttemptLedgerTest, AnEndCountsOnceItIsAcknowledged) {
  ledger_.begin({"e/a/0", "f/a/0"});
  ledger_.ended(5, "e/a/0");
  ledger_.ended(9, "f/a/0");
  EXPECT_FALSE(ledger_.acknowledge(4));
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e/trials/ab"));
  EXPECT_TRUE(ledger_.acknowledge(8));
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e"));
  EXPECT_FALSE(ledger_.acknowledge(8));
  EXPECT_TRUE(ledger_.acknowledge(9));
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e", "experiments/f"));
}

TEST_F(AttemptLedgerTest, ANewConnectionBeginsAnew) {
  ledger_.begin({"e/a/0"});
  ledger_.ended(5, "e/a/0");
  ledger_.begin({"e/a/0"});
  EXPECT_FALSE(ledger_.acknowledge(5)) << "numbers of another connection";
  EXPECT_THAT(dispensable(), ElementsAre("experiments/e/trials/ab", "experiments/f"));
}

}  // namespace
}  // namespace lathe::manager

#include "history.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "sample_spaces.hpp"

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;
using proto::OptimizeMode;

class HistoryTest : public ::testing::Test {
 protected:
  std::vector<TrialId> ranked_ids(const History& history) const {
    std::vector<TrialId> ids;
    for (const History::Rank& rank : history.ranking()) ids.push_back(rank.id);
    return ids;
  }
  void add(History& history, TrialId id, double x) const { history.add(id, {{"x", x}}, tree_); }

  SpaceTree tree_{{{test::uniform("x", 0, 1)}}};
};

TEST_F(HistoryTest, RanksByLossThenByIdWithTheUnfinishedLast) {
  History history(OptimizeMode::Minimize);
  for (const TrialId id : {4, 2, 0, 3, 1}) add(history, id, 0.5);
  history.complete(3, 1.0);
  history.complete(1, 1.0);
  history.complete(4, 0.5);
  history.complete(0, std::nullopt);
  EXPECT_EQ(ranked_ids(history), (std::vector<TrialId>{4, 1, 3, 0, 2}));
  EXPECT_EQ(history.finished(), 3U);
  EXPECT_EQ(history.pending(), (std::set<TrialId>{2}));
}

TEST_F(HistoryTest, TurnsMetricsAroundToMaximise) {
  History history(OptimizeMode::Maximize);
  for (const TrialId id : {0, 1}) add(history, id, 0.5);
  history.complete(0, 0.8);
  history.complete(1, 0.9);
  EXPECT_EQ(ranked_ids(history), (std::vector<TrialId>{1, 0}));
  EXPECT_EQ(history.ranking().begin()->loss, -0.9);
}

TEST_F(HistoryTest, TakesMetricsThatAreNotFiniteForFailures) {
  History history(OptimizeMode::Minimize);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double metric : {std::nan(""), infinity, -infinity}) {
    const auto id = static_cast<TrialId>(history.trials().size());
    add(history, id, 0.5);
    history.complete(id, metric);
    EXPECT_EQ(history.trials().at(id).state, TrialState::Failed);
  }
  EXPECT_EQ(history.finished(), 0U);
}

TEST_F(HistoryTest, IgnoresUnknownAndRepeatedEnds) {
  History history(OptimizeMode::Minimize);
  history.complete(7, 1.0);
  add(history, 0, 0.5);
  history.complete(0, 1.0);
  history.complete(0, 2.0);
  add(history, 0, 0.9);
  EXPECT_EQ(history.trials().size(), 1U);
  EXPECT_EQ(history.trials().at(0).loss, 1.0);
  EXPECT_EQ(history.trials().at(0).point, Point{0.5});
}

TEST_F(HistoryTest, RereadsParametersThatAnEarlierSpaceDidNotKnow) {
  History history(OptimizeMode::Minimize);
  history.add(0, {{"x", 5}, {"y", 0.25}}, tree_);
  EXPECT_EQ(history.users(0), 0U);
  const SpaceTree wider({{test::uniform("x", 0, 10), test::uniform("y", 0, 1)}});
  history.reread(wider);
  EXPECT_EQ(history.trials().at(0).point, (Point{0.5, 0.25}));
  EXPECT_EQ(history.users(0), 1U);
}

}  // namespace
}  // namespace lathe::tuners

#include "tpe_split.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "sample_spaces.hpp"

namespace lathe::tuners {
namespace {

class TpeSplitTest : public ::testing::Test {
 protected:
  void add(TrialId id) { history_.add(id, {{"x", place(id)}}, tree_); }
  void finish(TrialId id, double loss) {
    add(id);
    history_.complete(id, loss);
  }
  static double place(TrialId id) { return static_cast<double>(id) / 8192; }

  /// The trials of a set, by the place they were given.
  static std::vector<TrialId> ids(const WeightedTrials& trials) {
    std::vector<TrialId> result;
    for (const Point* point : trials.points) result.push_back(static_cast<TrialId>(point->front() * 8192));
    return result;
  }

  SpaceTree tree_{{{test::uniform("x", 0, 1)}}};
  History history_{proto::OptimizeMode::Minimize};
  TpeOptions options_;
};

TEST_F(TpeSplitTest, WeighsTheGoodByImprovementAndTheBadByAge) {
  for (TrialId id = 0; id < 10; ++id) finish(id, static_cast<double>(10 - id));  // ceil(1.5) = 2 are good
  const Split split = split_trials(history_, options_);
  EXPECT_EQ(ids(split.good), (std::vector<TrialId>{9, 8}));
  EXPECT_EQ(split.good.weights, (std::vector<double>{2, 1, 1.5}));
  EXPECT_EQ(ids(split.bad), (std::vector<TrialId>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(split.bad.weights, std::vector<double>(9, 1.0));
}

TEST_F(TpeSplitTest, CountsPendingAndFailedTrialsAsBad) {
  for (TrialId id = 0; id < 7; ++id) finish(id, 1.0 + static_cast<double>(id));
  add(7);
  add(8);
  history_.complete(8, std::nullopt);
  const Split split = split_trials(history_, options_);
  EXPECT_EQ(ids(split.good), (std::vector<TrialId>{0, 1}));  // ceil(0.15 * 7)
  EXPECT_EQ(ids(split.bad), (std::vector<TrialId>{2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(TpeSplitTest, GivesPendingTrialsTheLie) {
  for (TrialId id = 0; id < 6; ++id) finish(id, 1.0 + static_cast<double>(id));
  add(6);
  const auto good_with = [&](Liar liar) {
    options_.liar = liar;
    return ids(split_trials(history_, options_).good);
  };
  EXPECT_EQ(good_with(Liar::Best), (std::vector<TrialId>{0, 6}));
  EXPECT_EQ(good_with(Liar::Mean), (std::vector<TrialId>{0, 1}));
  EXPECT_EQ(good_with(Liar::Worst), (std::vector<TrialId>{0, 1}));
  EXPECT_EQ(good_with(Liar::Ignore), (std::vector<TrialId>{0}));
  EXPECT_EQ(split_trials(history_, options_).bad.points.size(), 5U);
}

TEST_F(TpeSplitTest, SurvivesEqualAndExtremeLosses) {
  for (TrialId id = 0; id < 10; ++id) finish(id, id == 0 ? -1.7e308 : 1.7e308);
  const Split split = split_trials(history_, options_);
  EXPECT_GT(split.good.weights[0], split.good.weights[1]);
  EXPECT_GT(split.good.weights[1], 0);
  const double sum = std::accumulate(split.good.weights.begin(), split.good.weights.end(), 0.0);
  EXPECT_TRUE(sum > 0 && sum < 1e308);
}

TEST_F(TpeSplitTest, KeepsOnlyTheNewestOfManyBadTrials) {
  for (TrialId id = 0; id < 3000; ++id) finish(id, static_cast<double>(id));
  const Split split = split_trials(history_, options_);
  EXPECT_EQ(split.good.points.size(), 25U);
  EXPECT_EQ(split.bad.points.size(), 2000U);
  EXPECT_EQ(ids(split.bad).back(), 2999);
  EXPECT_NEAR(split.bad.weights.front(), 1.0 / 3, 0.01);  // of a ramp over 2,975 trials
}

TEST(ForgettingWeights, RampUpToTheFlatEnd) {
  EXPECT_EQ(forgetting_weights(3, 25), std::vector<double>(3, 1.0));
  EXPECT_EQ(forgetting_weights(4, 1), (std::vector<double>{0.25, 0.625, 1, 1}));
  EXPECT_EQ(forgetting_weights(2, 1), (std::vector<double>{0.5, 1}));
}

}  // namespace
}  // namespace lathe::tuners

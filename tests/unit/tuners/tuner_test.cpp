#include <lathe/tuners/tuner.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sample_spaces.hpp"
#include "space_tree.hpp"
#include "tuner_driver.hpp"

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;
using proto::OptimizeMode;
using proto::TunerKind;

/// What has to hold for every tuner.
class EveryTuner : public ::testing::TestWithParam<TunerKind> {
 protected:
  static std::vector<std::string> next_suggestions(Tuner& tuner, TrialId first) {
    std::vector<std::string> result;
    for (TrialId id = first; id < first + 4; ++id) {
      const auto parameters = tuner.suggest(id);
      result.push_back(parameters ? parameters->dump() : "nothing left");
    }
    return result;
  }

  void expect_replayable(const proto::SearchSpace& space, int trials, std::uint64_t seed) const {
    const auto original = test::make(GetParam(), space, seed);
    const test::Record record = test::run_scrambled(*original, trials, seed);
    const std::vector<std::string> expected = next_suggestions(*original, trials);
    for (const std::uint64_t order : {1U, 2U}) {
      const auto rebuilt = test::make(GetParam(), space, seed);
      test::replay(*rebuilt, record, order);
      EXPECT_EQ(next_suggestions(*rebuilt, trials), expected) << "seed " << seed << ", " << trials << " trials";
    }
  }
};

TEST_P(EveryTuner, GoesOnAfterAReplayAsIfNothingHadHappened) {
  for (const auto& space : {test::flat_space(), test::nested_space(), test::finite_nested_space()}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      for (const int trials : {3, 11, 30, 60}) expect_replayable(space, trials, seed);
    }
  }
}

TEST_P(EveryTuner, SuggestsWhatTheSpaceAllows) {
  for (const auto& space : {test::flat_space(), test::nested_space()}) {
    const SpaceTree tree(space);
    const auto tuner = test::make(GetParam(), space);
    for (const auto& [id, parameters] : test::run_scrambled(*tuner, 80, 3).parameters) {
      const Point point = tree.read(parameters);
      for (std::size_t node = 0; node < tree.size(); ++node) {
        ASSERT_EQ(is_present(point[node]), tree.is_active(node, point)) << tree.nodes()[node].name << parameters;
      }
    }
  }
}

TEST_P(EveryTuner, MirrorsMinimisingWhenItMaximises) {
  const auto down = test::make(GetParam(), test::nested_space(), 5, OptimizeMode::Minimize);
  const auto up = test::make(GetParam(), test::nested_space(), 5, OptimizeMode::Maximize);
  for (TrialId id = 0; id < 60; ++id) {
    const auto parameters = down->suggest(id);
    ASSERT_EQ(up->suggest(id), parameters);
    const auto result = test::scrambled_result(*parameters);
    down->complete(id, result);
    up->complete(id, result ? std::optional(-*result) : std::nullopt);
  }
}

TEST_P(EveryTuner, TriesAFiniteSpaceOnceAndThenStops) {
  const auto tuner = test::make(GetParam(), test::finite_nested_space());
  std::set<std::string> tried;
  for (TrialId id = 0; id < 12; ++id) {
    const auto parameters = tuner->suggest(id);
    ASSERT_TRUE(parameters) << id;
    EXPECT_TRUE(tried.insert(parameters->dump()).second) << *parameters;
    tuner->complete(id, id % 3 == 0 ? std::nullopt : std::optional(static_cast<double>(id)));
  }
  EXPECT_EQ(tuner->suggest(12), std::nullopt);
  EXPECT_EQ(tuner->suggest(12), std::nullopt);
}

TEST_P(EveryTuner, GoesOnWhenAnExhaustedSpaceGrows) {
  const auto tuner = test::make(GetParam(), {{test::randint("n", 0, 3)}});
  for (TrialId id = 0; id < 3; ++id) tuner->complete(id, tuner->suggest(id).value().at("n").get<double>());
  ASSERT_EQ(tuner->suggest(3), std::nullopt);
  tuner->update_search_space({{test::randint("n", 0, 5)}});
  std::set<int> added;
  for (TrialId id = 3; id < 5; ++id) added.insert(tuner->suggest(id).value().at("n").get<int>());
  EXPECT_EQ(added, (std::set<int>{3, 4}));
  EXPECT_EQ(tuner->suggest(5), std::nullopt);
}

TEST_P(EveryTuner, CountsTrialsAddedByHandAsTried) {
  const auto tuner = test::make(GetParam(), {{test::choice("n", {"a", "b"})}});
  tuner->add_pending(0, {{"n", "b"}});
  EXPECT_EQ(tuner->suggest(1), (ordered_json{{"n", "a"}}));
  EXPECT_EQ(tuner->suggest(2), std::nullopt);
}

TEST_P(EveryTuner, BearsParametersThatDoNotFit) {
  const auto tuner = test::make(GetParam(), test::nested_space());
  const std::vector<ordered_json> strange{nullptr,
                                          3,
                                          ordered_json::array(),
                                          {{"shared", "x"}},
                                          {{"arm", {{"_name", "A"}}}},
                                          {{"arm", {{"_name", "B"}, {"mode", 7}}}},
                                          {{"shared", -4.0}, {"other", {}}}};
  TrialId id = 0;
  for (int round = 0; round < 6; ++round) {
    for (const ordered_json& parameters : strange) {
      tuner->add_pending(id, parameters);
      tuner->complete(id, static_cast<double>(id));
      ++id;
    }
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(tuner->suggest(id++));
}

TEST_P(EveryTuner, ReadsOldTrialsAgainstANewSpace) {
  const auto changed = test::make(GetParam(), test::flat_space());
  const test::Record record = test::run_scrambled(*changed, 40, 9);
  changed->update_search_space(test::nested_space());
  changed->update_search_space(test::flat_space());
  const auto straight = test::make(GetParam(), test::flat_space());
  test::replay(*straight, record, 4);
  EXPECT_EQ(next_suggestions(*changed, 40), next_suggestions(*straight, 40));
}

TEST_P(EveryTuner, DependsOnItsSeed) {
  const auto first = test::make(GetParam(), test::flat_space(), 1);
  const auto second = test::make(GetParam(), test::flat_space(), 2);
  EXPECT_NE(first->suggest(0), second->suggest(0));
}

TEST_P(EveryTuner, SuggestsForATrialOnce) {
  const auto tuner = test::make(GetParam(), test::flat_space());
  (void)tuner->suggest(0);
  EXPECT_THROW((void)tuner->suggest(0), std::logic_error);
}

TEST_P(EveryTuner, TakesAnEmptySpaceForOneConfiguration) {
  const auto tuner = test::make(GetParam(), proto::SearchSpace{});
  EXPECT_EQ(tuner->suggest(0), ordered_json::object());
  EXPECT_EQ(tuner->suggest(1), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Tuners, EveryTuner, ::testing::Values(TunerKind::Random, TunerKind::Tpe, TunerKind::Anneal),
                         [](const auto& instance) {
                           return instance.param == TunerKind::Random ? "Random"
                                  : instance.param == TunerKind::Tpe  ? "Tpe"
                                                                      : "Anneal";
                         });

TEST(MakeTuner, NeedsASeed) {
  EXPECT_THROW(
      (void)make_tuner({TunerKind::Random, OptimizeMode::Minimize, {}, ordered_json::object()}, test::flat_space()),
      std::invalid_argument);
}

TEST(MakeTuner, PassesTheArgumentsOfTpe) {
  const ordered_json args = {{"tpe_args", {{"n_startup_jobs", "few"}}}};
  EXPECT_THROW((void)make_tuner({TunerKind::Tpe, OptimizeMode::Minimize, 1, args}, test::flat_space()),
               std::invalid_argument);
}

TEST(RandomTuner, DrawsEveryBranchAndValueEvenly) {
  const auto tuner = test::make(TunerKind::Random, test::nested_space());
  int a = 0;
  double sum = 0;
  for (TrialId id = 0; id < 4000; ++id) {
    const ordered_json parameters = tuner->suggest(id).value();
    a += parameters.at("arm").at("_name") == "A" ? 1 : 0;
    sum += parameters.at("shared").get<double>();
  }
  EXPECT_NEAR(a, 2000, 110);
  EXPECT_NEAR(sum / 4000, 0.5, 0.016);
}

}  // namespace
}  // namespace lathe::tuners

#include "analysis/importance.hpp"

#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include "analysis/grid_density.hpp"
#include "tables.hpp"

namespace lathe::manager {
namespace {

constexpr double tolerance = 1e-9;

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << i;
}

// What Optuna 5.0's ScottParzenEstimator says.
TEST(GridDensity, EqualsThatOfOptuna) {
  expect_near(ordered_density({0, 3, 1, 0, 0, 6, 0, 2}),
              {0.0765262498878897, 0.103674877039953, 0.106464359538802, 0.109764078697565, 0.139633335332246,
               0.171128492990531, 0.166152240146629, 0.126656366366384});
  expect_near(ordered_density({1, 0, 0}), {0.636986813077361, 0.199431769522945, 0.163581417399693});
  expect_near(category_density({4, 0, 1}), {0.527777777777778, 0.194444444444444, 0.277777777777778});
}

// By hand: 4 + 1 observations, 2 of 3 categories seen. A kernel is (1 + 1/3, 1/3, 1/3) / 2; so the first category has
// (4 * 4/6 + 1 * 1/6 + 1/3) / 6 = 19/36.
TEST(GridDensity, OfCategoriesByHand) {
  expect_near(category_density({4, 0, 1}), {19.0 / 36, 7.0 / 36, 10.0 / 36});
}

TEST(GridDensity, SumsToOne) {
  for (const std::vector<double>& counts : {std::vector<double>{5, 0, 0, 0}, {1, 2, 3, 4}, {0, 0, 7, 0}}) {
    double ordered_sum = 0;
    double category_sum = 0;
    for (const double p : ordered_density(counts)) ordered_sum += p;
    for (const double p : category_density(counts)) category_sum += p;
    EXPECT_NEAR(ordered_sum, 1, 1e-12);
    EXPECT_NEAR(category_sum, 1, 1e-12);
  }
}

TEST(GridDensity, PearsonByHand) {
  EXPECT_NEAR(pearson_divergence({0.5, 0.5}, {0.25, 0.75}), 0.25 * 1 + 0.75 / 9, 1e-9);
  EXPECT_NEAR(pearson_divergence({0.3, 0.7}, {0.3, 0.7}), 0, 1e-12);
}

constexpr const char* nested_space = R"({
  "x": {"_type": "uniform", "_value": [0, 1]},
  "lr": {"_type": "loguniform", "_value": [0.0001, 1]},
  "n": {"_type": "randint", "_value": [0, 8]},
  "q": {"_type": "quniform", "_value": [0, 1, 0.25]},
  "algorithm": {"_type": "choice", "_value": [
    {"_name": "l1", "s": {"_type": "uniform", "_value": [0, 1]}},
    {"_name": "fpgm", "s": {"_type": "uniform", "_value": [0, 0.5]}},
    {"_name": "slim", "w": {"_type": "choice", "_value": [1, 2, 3]}}]}})";

/// The trials that the reference figures were made with.
class NestedTrials {
 public:
  TrialTable make(int count) {
    TrialTable table;
    for (int i = 0; i < count; ++i) add(table, i);
    return table;
  }

 private:
  std::uint32_t next() { return (seed_ = seed_ * 1664525u + 1013904223u) >> 8; }
  double unit() { return (next() % 1000) / 1000.0; }

  void add(TrialTable& table, int number) {
    const double x = unit();
    const double lr = std::pow(10, -4 * unit());
    const std::uint32_t n = next() % 8;
    const double q = (next() % 5) * 0.25;
    const std::uint32_t kind = next() % 3;
    const double s = unit() * (kind == 1 ? 0.5 : 1);
    nlohmann::json algorithm{{"_name", std::vector<std::string>{"l1", "fpgm", "slim"}[kind]}};
    const std::uint32_t w = kind == 2 ? 1 + next() % 3 : 0;
    if (kind == 2)
      algorithm["w"] = w;
    else
      algorithm["s"] = s;
    const double value = std::pow(x - 0.3, 2) + 0.05 * std::abs(std::log10(lr) + 2) +
                         std::vector<double>{0.1, 0, 0.2}[kind] + 0.01 * n +
                         (kind < 2 ? 0.3 * std::abs(s - 0.2) : 0.05 * w);
    const nlohmann::json parameters{{"x", x}, {"lr", lr}, {"n", n}, {"q", q}, {"algorithm", algorithm}};
    put(table, number, parameters.dump(), nlohmann::json(value).dump());
  }

  std::uint32_t seed_ = 7;
};

proto::SearchSpace space() {
  return proto::parse_search_space(nlohmann::ordered_json::parse(nested_space)).value();
}

// Optuna 5.0's PedAnovaImportanceEvaluator on the same 120 trials.
TEST(Importance, EqualsConditionalPedAnovaOfOptuna) {
  const TrialTable table = NestedTrials().make(120);
  const Importance importance = importance_of(table, *table.find("metric"), Goal::Minimize, space(), 0.1);
  EXPECT_EQ(importance.trials, 120u);
  EXPECT_EQ(importance.top_trials, 12u);
  const std::vector<std::pair<std::string, double>> expected{{"parameter.x", 0.355479823543829},
                                                             {"parameter.lr", 0.216815004113537},
                                                             {"parameter.algorithm.s", 0.17196670087965},
                                                             {"parameter.algorithm._name", 0.125498903831924},
                                                             {"parameter.n", 0.122406388597424},
                                                             {"parameter.q", 0.00783317903363637},
                                                             {"parameter.algorithm.w", 0}};
  ASSERT_EQ(importance.items.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(importance.items[i].parameter, expected[i].first);
    EXPECT_NEAR(importance.items[i].importance, expected[i].second, tolerance);
  }
  EXPECT_EQ(importance.items[2].regimes, 2u) << "s has another range in each branch";
}

TEST(Importance, SaysWhyThereIsNone) {
  const TrialTable few = NestedTrials().make(40);
  const Importance importance = importance_of(few, *few.find("metric"), Goal::Maximize, space(), 0.1);
  EXPECT_TRUE(importance.items.empty());
  EXPECT_EQ(importance.reason, "4 of 40 measured trials are the best 10 %; it takes at least 5");
  TrialTable equal;
  for (int i = 0; i < 50; ++i) put(equal, i, R"({"x": 0.5})", "1");
  EXPECT_EQ(importance_of(equal, *equal.find("metric"), Goal::Maximize, space(), 0.1).reason,
            "every measured trial is as good as the others");
  const TrialTable none;
  EXPECT_EQ(importance_of(none, *none.find("metric"), Goal::Maximize, space(), 0.1).trials, 0u);
}

TEST(Importance, TakesWhatTheSpaceDoesNotExpect) {
  TrialTable table;
  for (int i = 0; i < 100; ++i) {
    const std::string x = i % 10 == 0 ? "\"text\"" : std::to_string(i * 100 - 500);
    put(table, i, "{\"x\": " + x + ", \"algorithm\": \"plain\", \"lr\": 0, \"n\": -5}", std::to_string(i));
  }
  const Importance importance = importance_of(table, *table.find("metric"), Goal::Maximize, space(), 0.1);
  for (const ParameterImportance& item : importance.items)
    EXPECT_TRUE(std::isfinite(item.importance)) << item.parameter;
}

TEST(Importance, KnowsChoicesOfNumbersListsAndTruths) {
  const auto choices = proto::parse_search_space(nlohmann::ordered_json::parse(R"({
    "a": {"_type": "choice", "_value": [1, 2.5]}, "b": {"_type": "choice", "_value": [[1, 2], [3]]},
    "c": {"_type": "choice", "_value": [true, false]}, "d": {"_type": "normal", "_value": [0, 1]}})"));
  TrialTable table;
  for (int i = 0; i < 100; ++i) {
    const nlohmann::json parameters{{"a", i % 2 == 0 ? 1 : 2.5},
                                    {"b", i % 3 == 0 ? nlohmann::json{1, 2} : nlohmann::json{3}},
                                    {"c", i >= 50},
                                    {"d", (i * 37 % 100) / 50.0 - 1}};
    put(table, i, parameters.dump(), std::to_string(i));
  }
  const Importance importance = importance_of(table, *table.find("metric"), Goal::Maximize, *choices, 0.1);
  ASSERT_EQ(importance.items.size(), 4u);
  EXPECT_EQ(importance.items.front().parameter, "parameter.c");
  for (const ParameterImportance& item : importance.items) EXPECT_EQ(item.regimes, 1u) << item.parameter;
}

}  // namespace
}  // namespace lathe::manager

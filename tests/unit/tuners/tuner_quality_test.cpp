// The tuners that learn have to beat the one that does not. The margins are wide: these are tests against breakage;
// how good the tuners are is measured by bench/tuner_quality.cpp.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sample_spaces.hpp"
#include "tuner_driver.hpp"

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;
using proto::TunerKind;

double square(double x) {
  return x * x;
}

double sphere(const ordered_json& parameters) {
  double sum = 0;
  for (const auto& [name, value] : parameters.items()) sum += square(value.get<double>());
  return sum;
}

proto::SearchSpace two_arms() {
  return {{test::nested("arm",
                        {{"A", {test::uniform("x", 0, 1), test::uniform("y", 0, 1)}}, {"B", test::series(5, 0, 1)}})}};
}

double arms(const ordered_json& parameters) {
  const ordered_json& arm = parameters.at("arm");
  if (arm.at("_name") == "A") return square(arm.at("x").get<double>() - 0.3) + square(arm.at("y").get<double>() - 0.7);
  double sum = 0.1;
  for (int i = 0; i < 5; ++i) sum += square(arm.at(std::string("x") + std::to_string(i)).get<double>() - 0.5);
  return sum;
}

double median_best(TunerKind kind, const proto::SearchSpace& space, const test::Loss& loss, int outstanding) {
  std::vector<double> values;
  for (std::uint64_t seed = 0; seed < 9; ++seed) {
    values.push_back(test::best_loss(kind, space, loss, seed, 80, outstanding));
  }
  std::nth_element(values.begin(), values.begin() + 4, values.end());
  return values[4];
}

class LearningTuner : public ::testing::TestWithParam<TunerKind> {};

TEST_P(LearningTuner, BeatsRandomOnTheSphere) {
  const proto::SearchSpace space{test::series(5, -5, 5)};
  const double random = median_best(TunerKind::Random, space, sphere, 1);
  EXPECT_LT(median_best(GetParam(), space, sphere, 1), random / 4);
  EXPECT_LT(median_best(GetParam(), space, sphere, 8), random / 2);
}

TEST_P(LearningTuner, BeatsRandomOnANestedSpace) {
  const double random = median_best(TunerKind::Random, two_arms(), arms, 1);
  EXPECT_LT(median_best(GetParam(), two_arms(), arms, 1), random / 4);
  EXPECT_LT(median_best(GetParam(), two_arms(), arms, 8), random / 2);
}

INSTANTIATE_TEST_SUITE_P(Tuners, LearningTuner, ::testing::Values(TunerKind::Tpe, TunerKind::Anneal),
                         [](const auto& instance) { return instance.param == TunerKind::Tpe ? "Tpe" : "Anneal"; });

}  // namespace
}  // namespace lathe::tuners

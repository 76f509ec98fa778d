#include "axis.hpp"

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "gaussian.hpp"
#include "goodness_of_fit.hpp"
#include "sample_spaces.hpp"

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;

Axis axis(const proto::Parameter& parameter) {
  return Axis(parameter.distribution);
}

std::vector<double> draw_values(const Axis& axis, int count) {
  RandomStream random(11, 0);
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(axis.value(axis.sample(random)).get<double>());
  return values;
}

void expect_distribution(const Axis& axis, const std::function<double(double)>& cdf) {
  const std::vector<double> values = draw_values(axis, 5000);
  EXPECT_LT(test::kolmogorov_distance(values, cdf), test::kolmogorov_limit(values.size()));
}

TEST(Axis, DrawsTheContinuousTypes) {
  expect_distribution(axis(test::uniform("x", -2, 6)), [](double x) { return (x + 2) / 8; });
  expect_distribution(axis(test::log_uniform("x", 1e-4, 10)), [](double x) { return std::log10(x / 1e-4) / 5; });
  expect_distribution(axis(test::normal("x", 3, 2)), [](double x) { return normal_cdf((x - 3) / 2); });
  expect_distribution(axis(test::log_normal("x", -1, 0.5)),
                      [](double x) { return normal_cdf((std::log(x) + 1) / 0.5); });
}

TEST(Axis, DrawsOptionsAndIntegersEvenly) {
  for (const Axis& of : {axis(test::choice("x", {0, 1, 2, 3, 4})), axis(test::randint("x", 0, 5))}) {
    std::vector<int> counts(5, 0);
    for (const double value : draw_values(of, 10000)) ++counts[static_cast<std::size_t>(value)];
    EXPECT_LT(test::chi_square(counts, 2000), 18.47);
  }
}

TEST(Axis, DrawsStepsInProportionToTheirCells) {
  // quniform(0, 4, 2): 0, 2, 4 with 1/4, 1/2, 1/4.
  std::vector<int> counts(4, 0);
  for (const double value : draw_values(axis(test::uniform("x", 0, 4, 2)), 20000)) {
    ++counts[value == 2 ? 1 + static_cast<std::size_t>(value) / 4 : static_cast<std::size_t>(value / 4) * 2];
  }
  EXPECT_NEAR(counts[0], 5000, 200);
  EXPECT_NEAR(counts[1], 10000, 250);
  EXPECT_NEAR(counts[2], 5000, 200);
}

TEST(Axis, RoundsHalvesToEven) {
  const Axis of = axis(test::uniform("x", 0, 8, 1));
  EXPECT_EQ(of.value(0.5 / 8), ordered_json(0.0));
  EXPECT_EQ(of.value(1.5 / 8), ordered_json(2.0));
  EXPECT_EQ(of.value(2.5 / 8), ordered_json(2.0));
  EXPECT_EQ(of.value(3.5 / 8), ordered_json(4.0));
}

TEST(Axis, ClipsTheUniformTypesAfterRounding) {
  const Axis of = axis(test::uniform("x", 1, 10, 3));
  EXPECT_EQ(of.value(0.0), ordered_json(1.0));  // round(1/3) * 3 = 0
  EXPECT_EQ(of.value(1.0), ordered_json(9.0));
  const Axis up = axis(test::uniform("x", 0, 11, 3));
  EXPECT_EQ(up.value(1.0), ordered_json(11.0));  // round(11/3) * 3 = 12
  const Axis log = axis(test::log_uniform("x", 5, 100, 20));
  EXPECT_EQ(log.value(0.0), ordered_json(5.0));
}

TEST(Axis, DoesNotClipTheNormalTypes) {
  EXPECT_EQ(axis(test::normal("x", 0, 1, 2)).value(5.0), ordered_json(4.0));
  EXPECT_EQ(axis(test::log_normal("x", 0, 1, 5)).value(-1.0), ordered_json(0.0));
  EXPECT_EQ(axis(test::log_normal("x", 0, 1, 5)).value(2.0), ordered_json(5.0));
}

TEST(Axis, GivesIntegersAsIntegersAndNumbersAsNumbers) {
  EXPECT_TRUE(axis(test::randint("x", 2, 5)).value(0.5).is_number_integer());
  EXPECT_TRUE(axis(test::uniform("x", 0, 8, 1)).value(0.5).is_number_float());
  EXPECT_EQ(axis(test::uniform("x", -1, 1, 1)).value(0.45).dump(), "0.0");  // and not -0.0
}

TEST(Axis, GivesOptionsVerbatim) {
  const ordered_json object = {{"b", 1}, {"a", ordered_json::array({2, nullptr})}};
  const Axis of = axis(test::choice("x", {1, 1.5, "1", true, nullptr, object}));
  EXPECT_EQ(of.value(0).dump(), "1");
  EXPECT_EQ(of.value(5).dump(), R"({"b":1,"a":[2,null]})");
  for (std::size_t i = 0; i < of.options(); ++i) {
    EXPECT_EQ(of.read(of.value(static_cast<double>(i))), static_cast<double>(i));
  }
}

TEST(Axis, FindsAnObjectWhateverTheOrderOfItsKeys) {
  const Axis of = axis(test::choice("x", {0, ordered_json{{"b", 1}, {"a", 2}}}));
  EXPECT_EQ(of.read(ordered_json{{"a", 2}, {"b", 1}}), 1.0);
}

TEST(Axis, TakesEqualOptionsForOne) {
  const Axis of = axis(test::choice("x", {"a", "a", "b"}));
  EXPECT_EQ(of.grid_size(), 2U);
  EXPECT_EQ(of.canonical(1), 0);
  EXPECT_EQ(of.grid_point(1), 2);
  EXPECT_EQ(of.grid_index(2), 1U);
}

TEST(Axis, ReadsBackWhatItGave) {
  RandomStream random(8, 0);
  for (const proto::Parameter& parameter : test::flat_space().parameters) {
    const Axis of = axis(parameter);
    for (int i = 0; i < 200; ++i) {
      const double internal = of.sample(random);
      const ordered_json value = of.value(internal);
      const auto read = of.read(value);
      ASSERT_TRUE(read) << parameter.name << " " << value;
      EXPECT_NEAR(*read, of.canonical(internal), 1e-12) << parameter.name << " " << value;
      EXPECT_EQ(of.value(*read).type(), value.type());
      EXPECT_NEAR(of.value(*of.read(value)).is_number() ? of.value(*read).get<double>() : 0.0,
                  value.is_number() ? value.get<double>() : 0.0, 1e-9 * 512)
          << parameter.name;
    }
  }
}

TEST(Axis, RefusesWhatDoesNotFit) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Axis number = axis(test::uniform("x", 0, 1));
  for (const ordered_json& bad :
       {ordered_json("0.5"), ordered_json(-0.1), ordered_json(1.5), ordered_json(nullptr), ordered_json(true),
        ordered_json(infinity), ordered_json(std::nan("")), ordered_json::array({0.5}), ordered_json::object()}) {
    EXPECT_EQ(number.read(bad), std::nullopt) << bad;
  }
  const Axis integer = axis(test::randint("x", 2, 5));
  for (const ordered_json& bad : {ordered_json(1), ordered_json(5), ordered_json(2.5), ordered_json("3"),
                                  ordered_json(1e300), ordered_json(std::numeric_limits<std::uint64_t>::max())}) {
    EXPECT_EQ(integer.read(bad), std::nullopt) << bad;
  }
  EXPECT_TRUE(integer.read(3.0));
  EXPECT_EQ(axis(test::choice("x", {1, 2})).read(3), std::nullopt);
  EXPECT_EQ(axis(test::log_normal("x", 0, 1)).read(-1), std::nullopt);
  EXPECT_EQ(axis(test::log_normal("x", 0, 1)).read(0), std::nullopt);
  const Axis branch = axis(test::nested("x", {{"A", {}}}));
  for (const ordered_json& bad :
       {ordered_json("A"), ordered_json{{"_name", "B"}}, ordered_json{{"_name", 1}}, ordered_json::object()}) {
    EXPECT_EQ(branch.read(bad), std::nullopt) << bad;
  }
}

TEST(Axis, StaysWithinExtremeBounds) {
  constexpr double kHuge = std::numeric_limits<double>::max();
  RandomStream random(9, 0);
  const std::vector<proto::Parameter> extremes{
      test::uniform("x", -kHuge, kHuge),     test::uniform("x", -kHuge, kHuge, 1e-300),
      test::log_uniform("x", 5e-324, kHuge), test::normal("x", 1e308, 1e308),
      test::normal("x", 1e300, 1e-10, 1e-3), test::log_normal("x", 700, 1e3),
      test::log_normal("x", -700, 1e3, 1e-3)};
  for (const proto::Parameter& parameter : extremes) {
    const Axis of = axis(parameter);
    for (int i = 0; i < 200; ++i) {
      const ordered_json value = of.value(of.sample(random));
      EXPECT_TRUE(std::isfinite(value.get<double>())) << value;
      const auto read = of.read(value);
      EXPECT_TRUE(read && std::isfinite(*read)) << value;
    }
  }
}

TEST(Axis, CoversTheWidestRangeOfIntegers) {
  constexpr auto kLow = std::numeric_limits<std::int64_t>::min();
  constexpr auto kHigh = std::numeric_limits<std::int64_t>::max();
  const Axis of = axis(test::randint("x", kLow, kHigh));
  EXPECT_EQ(of.value(0.0), ordered_json(kLow));
  EXPECT_EQ(of.value(1.0), ordered_json(kHigh - 1));
  EXPECT_EQ(of.grid_size(), std::nullopt);
  EXPECT_TRUE(of.read(kLow) && of.read(kHigh - 1));
  EXPECT_FALSE(of.read(kHigh));
}

TEST(Axis, EnumeratesItsGrid) {
  const std::vector<std::pair<proto::Parameter, std::vector<double>>> cases{
      {test::randint("x", -1, 3), {-1, 0, 1, 2}},
      {test::uniform("x", 1, 10, 3), {1, 3, 6, 9}},
      {test::uniform("x", 0, 1, 5), {0}},
      {test::uniform("x", 0.5, 2.2, 0.5), {0.5, 1, 1.5, 2}},
      {test::log_uniform("x", 5, 100, 40), {5, 40, 80}},
      {test::normal("x", 0, 1, 2), {-4, -2, 0, 2, 4}}};
  for (const auto& [parameter, values] : cases) {
    const Axis of = axis(parameter);
    ASSERT_EQ(of.grid_size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double point = of.grid_point(i);
      EXPECT_EQ(of.value(point).get<double>(), values[i]);
      EXPECT_EQ(of.read(of.value(point)), point);
      EXPECT_EQ(of.canonical(point), point);
      EXPECT_EQ(of.grid_index(point), i);
    }
  }
}

TEST(Axis, SaysWhenItHasNoGrid) {
  EXPECT_EQ(axis(test::uniform("x", 0, 1)).grid_size(), std::nullopt);
  EXPECT_EQ(axis(test::normal("x", 0, 1)).grid_size(), std::nullopt);
  EXPECT_EQ(axis(test::uniform("x", 0, 1, 1e-300)).grid_size(), std::nullopt);
  EXPECT_EQ(axis(test::log_normal("x", 0, 1e3, 1)).grid_size(), std::nullopt);
}

}  // namespace
}  // namespace lathe::tuners

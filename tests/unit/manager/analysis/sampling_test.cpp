#include "analysis/sampling.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tables.hpp"

namespace lathe::manager {
namespace {

TEST(Sampling, TakesEvenStepsWithBothEnds) {
  EXPECT_EQ(even_places(11, 3), (std::vector<std::size_t>{0, 5, 10}));
  EXPECT_EQ(even_places(3, 10), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(even_places(10, 1), (std::vector<std::size_t>{0}));
  EXPECT_TRUE(even_places(0, 5).empty());
  EXPECT_TRUE(even_places(5, 0).empty());
}

TEST(Sampling, KeepsThePeaksOfALine) {
  std::vector<double> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<double>(i) / 50);
  values[333] = 9;
  values[777] = -9;
  const auto places = peaks(values, 40);
  EXPECT_LE(places.size(), 40u);
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
  EXPECT_EQ(std::adjacent_find(places.begin(), places.end()), places.end());
  EXPECT_EQ(places.front(), 0u);
  EXPECT_EQ(places.back(), 999u);
  for (const std::size_t peak : {333u, 777u}) EXPECT_TRUE(std::binary_search(places.begin(), places.end(), peak));
  EXPECT_EQ(peaks({3, 1, 2}, 4).size(), 3u);
  EXPECT_TRUE(peaks({}, 4).empty());
}

TEST(Sampling, KeepsTheBestAndTheExtremes) {
  TrialTable table;
  for (int i = 0; i < 200; ++i) {
    const double x = i == 150 ? 1000 : i == 151 ? -1000 : i % 10;
    put(table, i, nlohmann::json{{"x", x}}.dump(), std::to_string(i % 100));
  }
  const Rows rows =
      characteristic_rows(all_rows(table), 30, table.find("metric"), true, {table.find("parameter.x"), nullptr});
  EXPECT_EQ(rows.size(), 30u);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  for (const std::uint32_t row : {99u, 199u, 198u, 150u, 151u, 0u}) {
    EXPECT_TRUE(std::binary_search(rows.begin(), rows.end(), row)) << row;
  }
  EXPECT_EQ(characteristic_rows({1, 2, 3}, 3, nullptr, false, {}), (Rows{1, 2, 3}));
  EXPECT_EQ(characteristic_rows(all_rows(table), 1, table.find("metric"), false, {}).size(), 1u);
}

}  // namespace
}  // namespace lathe::manager

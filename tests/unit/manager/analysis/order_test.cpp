#include "analysis/order.hpp"

#include <gtest/gtest.h>

#include "tables.hpp"

namespace lathe::manager {
namespace {

class Order : public ::testing::Test {
 protected:
  Order() {
    put(table_, 0, R"({"x": 2, "name": "b"})");
    put(table_, 1, R"({"x": 1, "name": "c"})");
    put(table_, 2, R"({"x": 2, "name": "a"})");
    put(table_, 3, R"({})");
    put(table_, 4, R"({"x": -1, "name": "b"})");
    put(table_, 5, R"({})");
  }
  Rows by(std::string_view column, bool descending, std::size_t first = 0, std::size_t count = 100) const {
    return ordered(table_.find(column), descending, all_rows(table_), first, count);
  }
  TrialTable table_;
};

TEST_F(Order, IsByValueThenRowWithMissingOnesLast) {
  EXPECT_EQ(by("parameter.x", false), (Rows{4, 1, 0, 2, 3, 5}));
  EXPECT_EQ(by("parameter.x", true), (Rows{2, 0, 1, 4, 5, 3})) << "everything reversed, but the missing ones last";
  EXPECT_EQ(by("parameter.name", false), (Rows{2, 0, 4, 1, 3, 5}));
  EXPECT_EQ(by("sequence", true), (Rows{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(by("no such column", false), (Rows{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(by("no such column", true), (Rows{5, 4, 3, 2, 1, 0}));
}

TEST_F(Order, GivesThePlacesThatAreAskedFor) {
  EXPECT_EQ(by("parameter.x", false, 1, 2), (Rows{1, 0}));
  EXPECT_EQ(by("parameter.x", false, 5, 10), (Rows{5}));
  EXPECT_EQ(by("parameter.x", false, 6, 10), Rows{});
  EXPECT_EQ(by("parameter.x", false, 1'000'000'000, 10), Rows{});
  EXPECT_EQ(ordered(table_.find("parameter.x"), false, Rows{0, 3, 5}, 0, 2), (Rows{0, 3}));
}

TEST_F(Order, OfManyTextsIsTheSame) {
  TrialTable table;
  const auto text_of = [](std::int64_t i) { return "t" + std::to_string(10'000 + i * 7919 % 5000); };
  for (std::int64_t i = 0; i < 5000; ++i) put(table, i, nlohmann::json{{"t", text_of(i)}}.dump());
  put(table, 5000, nlohmann::json{{"t", ""}}.dump());
  put(table, 5001, "{}");
  const Column* column = table.find("parameter.t");
  const Rows up = ordered(column, false, all_rows(table), 0, 10'000);
  ASSERT_EQ(up.size(), 5002u);
  EXPECT_EQ(up.front(), 5000u) << "the empty text";
  EXPECT_EQ(up.back(), 5001u) << "the missing one";
  for (std::size_t i = 1; i + 2 < up.size(); ++i) ASSERT_LT(column->text(up[i]), column->text(up[i + 1]));
  const Rows down = ordered(column, true, all_rows(table), 0, 10'000);
  EXPECT_EQ(down.back(), 5001u);
  EXPECT_EQ(Rows(down.rbegin() + 1, down.rend()), Rows(up.begin(), up.end() - 1));
  EXPECT_EQ(ordered(column, false, all_rows(table), 2000, 3), Rows(up.begin() + 2000, up.begin() + 2003));
}

}  // namespace
}  // namespace lathe::manager

#include "analysis/filter.hpp"

#include <gtest/gtest.h>

#include "tables.hpp"

namespace lathe::manager {
namespace {

class Filters : public ::testing::Test {
 protected:
  Filters() {
    put(table_, 0, R"({"lr": 0.1, "name": "Alpha Beta", "warm": true})", R"({"default": 0.5, "accuracy": 0.9})");
    put(table_, 1, R"({"lr": 0.01, "name": "gamma", "warm": false})", R"({"default": 0.7, "accuracy": 0.95})");
    put(table_, 2, R"x({"lr": 0.001, "name": "a \"quoted\" (name)"})x", "", "FAILED");
    put(table_, 3, R"({"name": "größe"})", R"({"default": 0.9})");
  }

  /// The matching rows as digits, or the error.
  std::string match(std::string_view text) const {
    const auto filter = Filter::parse(text);
    if (!filter) return filter.error().message;
    const auto rows = filter->rows(table_);
    if (!rows) return rows.error().message;
    std::string digits;
    for (const std::uint32_t row : *rows) digits += std::to_string(row);
    return digits;
  }

  TrialTable table_;
};

TEST_F(Filters, CompareNumbersTextsAndTruths) {
  EXPECT_EQ(match("metric > 0.5"), "13");
  EXPECT_EQ(match("metric>=.5"), "013");
  EXPECT_EQ(match("metric = 0.7"), "1");
  EXPECT_EQ(match("metric == 7e-1"), "1");
  EXPECT_EQ(match("metric != 0.7"), "03") << "a missing value is not unequal";
  EXPECT_EQ(match("status = FAILED"), "2");
  EXPECT_EQ(match("status = failed"), "") << "equality of texts is exact";
  EXPECT_EQ(match("parameter.name ~ BETA"), "0");
  EXPECT_EQ(match("parameter.name < b"), "02") << "by bytes";
  EXPECT_EQ(match("parameter.warm = TRUE"), "0");
  EXPECT_EQ(match("parameter.warm != true"), "1");
}

TEST_F(Filters, JoinByAndOrNotAndParentheses) {
  EXPECT_EQ(match("metric > 0.5 and parameter.lr < 1"), "1");
  EXPECT_EQ(match("status = FAILED or metric = 0.5 and parameter.lr = 5"), "2") << "and binds closer";
  EXPECT_EQ(match("(status = FAILED or metric = 0.5) AND Not parameter.lr = 5"), "02");
  EXPECT_EQ(match("not metric > 0.5"), "02") << "not of a comparison with a missing value is true";
  EXPECT_EQ(match("not not metric > 0.5"), "13");
}

TEST_F(Filters, KnowMissingAndIn) {
  EXPECT_EQ(match("metric is missing"), "2");
  EXPECT_EQ(match("metric IS NOT MISSING"), "013");
  EXPECT_EQ(match("sequence in (1, 3, 99)"), "13");
  EXPECT_EQ(match("metric not in (0.5)"), "13") << "false where the value is missing";
  EXPECT_EQ(match(R"x(parameter.name in (gamma, "a \"quoted\" (name)"))x"), "12");
}

TEST_F(Filters, LookForWordsEverywhere) {
  EXPECT_EQ(match("gamma"), "1");
  EXPECT_EQ(match("2"), "2") << "a sequence number, and the id T2";
  EXPECT_EQ(match("\"pha be\""), "0");
  EXPECT_EQ(match("größe"), "3");
  EXPECT_EQ(match("SUCC and not alpha"), "13");
  EXPECT_EQ(match("\"and\""), "");
}

TEST_F(Filters, EmptyIsEverything) {
  EXPECT_EQ(match(""), "0123");
  EXPECT_EQ(match(" \t\n"), "0123");
  EXPECT_TRUE(Filter::parse("  ")->is_everything());
}

TEST_F(Filters, TakeTimes) {
  EXPECT_EQ(match("submitTime >= 2000"), "23");
  EXPECT_EQ(match("submitTime < 1970-01-01T00:00:02Z"), "01");
  EXPECT_EQ(match("submitTime > \"1970-01-01 00:00\""), "123");
  EXPECT_EQ(match("submitTime > 1969-12-31"), "0123");
  EXPECT_NE(match("submitTime > 1970-02-30").find("submitTime is a time"), std::string::npos);
  EXPECT_NE(match("submitTime > 1970-01-01T25:00").find("submitTime is a time"), std::string::npos);
}

TEST_F(Filters, ColumnsThatMayComeAreEmpty) {
  EXPECT_EQ(match("metric.latency_ms < 3"), "");
  EXPECT_EQ(match("metric.latency_ms is missing"), "0123");
  EXPECT_EQ(match("metric < 1 and parameter.later in (1)"), "");
  EXPECT_NE(match("stats = FAILED").find("at character 1: there is no column 'stats'"), std::string::npos);
}

TEST_F(Filters, ErrorsNameThePlaceAndWhatWasExpected) {
  EXPECT_EQ(match("metric >"), "at character 9: expected a value after >, but it ends");
  EXPECT_EQ(match("größe größe"), "at character 7: found 'größe', expected and, or, or the end");
  EXPECT_EQ(match("(metric > 1"),
            "at character 12: expected and, or, or the ')' of the '(' at character 1, but it ends");
  EXPECT_EQ(match("metric > 1)"), "at character 11: found ')', expected and, or, or the end");
  EXPECT_EQ(match("metric > x"), "at character 10: metric is a number, expected one");
  EXPECT_EQ(match("metric > NaN"), "at character 10: metric is a number, expected one");
  EXPECT_EQ(match("metric ~ 1").substr(0, 40), "at character 10: ~ looks into texts, but");
  EXPECT_EQ(match("\"open"), "at character 1: the quotes that begin here do not end");
  EXPECT_EQ(match(R"x("a\b")x"), R"x(at character 3: found a lone '\' in quotes, expected \" or \\)x");
  EXPECT_EQ(match("! x"), "at character 1: found '!', expected != or the word not");
  EXPECT_EQ(match("and"), "at character 1: found 'and', expected a column, a word, not or '('");
  EXPECT_EQ(match("status in FAILED"), "at character 11: found 'FAILED', expected '(' after in");
  EXPECT_EQ(match("status in ()"), "at character 12: found ')', expected a value");
  EXPECT_EQ(match("status is empty"), "at character 11: found 'empty', expected missing or not missing");
  EXPECT_EQ(match("parameter.warm = 1"), "at character 18: parameter.warm is true or false, expected one of these");
}

TEST_F(Filters, SurviveHostileTexts) {
  EXPECT_EQ(match(std::string(1'000'000, '(')), "it is 1000000 bytes long, expected at most 16384");
  EXPECT_EQ(match(std::string(10'000, '(')), "at character 101: it is nested deeper than 100 levels");
  std::string nots;
  for (int i = 0; i < 3000; ++i) nots += "not ";
  EXPECT_EQ(match(nots + "x"), "at character 401: it is nested deeper than 100 levels");
  std::string terms = "x";
  for (int i = 0; i < 1000; ++i) terms += " or x";
  EXPECT_NE(match(terms).find("there are more than 200 terms"), std::string::npos);
  EXPECT_NO_THROW((void)match(std::string("\xff\xfe\x00 = \x80", 8)));
  EXPECT_NO_THROW((void)match(std::string("a\0b", 3)));
  const std::string deep = std::string(100, '(') + "gamma" + std::string(100, ')');
  EXPECT_EQ(match(deep), "1");
}

}  // namespace
}  // namespace lathe::manager

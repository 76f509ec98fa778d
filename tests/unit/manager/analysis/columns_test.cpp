#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "analysis/trial_table.hpp"
#include "tables.hpp"

namespace lathe::manager {
namespace {

TEST(TrialTable, HasAColumnForEachLeaf) {
  TrialTable table;
  put(table, 0, R"({"algorithm": {"_name": "l1", "conv1.sparsity": 0.5}, "warm": true, "sizes": [1, 2], "none": null})",
      R"({"default": 0.9, "size_bytes": 100, "nan": "NaN"})");
  put(table, 1, R"({"algorithm": {"_name": "fpgm"}})", "0.5");
  EXPECT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.find("parameter.algorithm._name")->text(1), "fpgm");
  EXPECT_EQ(table.find("parameter.algorithm.conv1.sparsity")->number(0), 0.5);
  EXPECT_FALSE(table.find("parameter.algorithm.conv1.sparsity")->has(1));
  EXPECT_EQ(table.find("parameter.warm")->type(), ColumnType::Boolean);
  EXPECT_EQ(table.find("parameter.sizes")->text(0), "[1,2]");
  EXPECT_EQ(table.find("parameter.none"), nullptr);
  EXPECT_EQ(table.find("metric.default")->number(1), 0.5);
  EXPECT_EQ(table.find("metric")->number(0), 0.9);
  EXPECT_EQ(table.find("metric.nan")->count(), 0u);
  EXPECT_EQ(table.columns().front()->name(), "sequence");
  EXPECT_EQ(table.columns().back()->group(), ColumnGroup::Metric);
}

TEST(TrialTable, BringsRowsUpToDateAndKeepsTheirOrder) {
  TrialTable table;
  put(table, 0, R"({"x": 1})");
  put(table, 5, R"({"x": 5})", R"({"default": 1, "extra": 2})");
  put(table, 3, R"({"x": 3})");
  EXPECT_EQ(table.rows(), 3u);
  EXPECT_EQ(table.sequence(1), 3);
  EXPECT_EQ(table.find("parameter.x")->number(2), 5);
  EXPECT_EQ(table.find("metric.extra")->number(2), 2);
  const auto before = table.version();
  put(table, 5, R"({"x": 5})", R"({"default": 7})", "FAILED");
  EXPECT_GT(table.version(), before);
  EXPECT_EQ(table.rows(), 3u);
  EXPECT_EQ(table.find("status")->text(2), "FAILED");
  EXPECT_EQ(table.find("metric.default")->number(2), 7);
  EXPECT_FALSE(table.find("metric.extra")->has(2)) << "what it does not report any more is gone";
  EXPECT_EQ(table.row_of(5), 2u);
  EXPECT_EQ(table.row_of(4), std::nullopt);
  EXPECT_EQ(table.row_of_id("T3"), 1u);
  EXPECT_EQ(table.row_of_id("T4"), std::nullopt);
}

TEST(TrialTable, TurnsMixedColumnsIntoTexts) {
  TrialTable table;
  put(table, 0, R"({"x": 1, "y": true})");
  put(table, 1, R"({"x": 2.5, "y": 3})");
  EXPECT_EQ(table.find("parameter.x")->type(), ColumnType::Number);
  put(table, 2, R"({"x": "auto", "y": 4})");
  const Column& x = *table.find("parameter.x");
  EXPECT_EQ(x.type(), ColumnType::Text);
  EXPECT_EQ(x.text(0) + "," + x.text(1) + "," + x.text(2), "1,2.5,auto");
  EXPECT_EQ(x.count(), 3u);
  const Column& y = *table.find("parameter.y");
  EXPECT_EQ(y.text(0) + "," + y.text(1), "true,3");
}

TEST(TrialTable, IsBoundedAgainstHostileTrials) {
  TrialTable table;
  const std::string long_text(1'000'000, 'x');
  put(table, 0, nlohmann::json{{"text", long_text + "é"}, {long_text, 1}}.dump());
  EXPECT_LE(table.find("parameter.text")->text(0).size(), Column::longest_text);
  EXPECT_EQ(table.omitted(), 1u);
  nlohmann::json many = nlohmann::json::object();
  for (int i = 0; i < 2000; ++i) many["p" + std::to_string(i)] = i;
  put(table, 1, many.dump());
  EXPECT_EQ(table.columns().size(), TrialTable::most_columns);
  EXPECT_EQ(table.omitted(), 1u + 2000u - (TrialTable::most_columns - 13));
}

TEST(Column, CutsTextsBetweenCharacters) {
  Column column("x", ColumnGroup::Parameter, ColumnType::Text);
  std::string text;
  for (int i = 0; i < 200; ++i) text += "é";
  column.set(0, std::string_view(text));
  const std::string cut = column.text(0);
  EXPECT_EQ(cut.substr(cut.size() - 3), "…");
  EXPECT_NO_THROW((void)nlohmann::json(cut).dump());
}

TEST(Column, HasNoNumbersThatAreNotFinite) {
  Column column("x", ColumnGroup::Metric, ColumnType::Number);
  column.set(0, 1.0);
  column.set(0, std::numeric_limits<double>::infinity());
  column.set(1, std::nan(""));
  EXPECT_EQ(column.count(), 0u);
  EXPECT_FALSE(column.has(0));
}

TEST(TextDictionary, NumbersTextsOnce) {
  TextDictionary texts;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(texts.intern("text " + std::to_string(i)), i);
  }
  EXPECT_EQ(texts.size(), 1000u);
  EXPECT_EQ(texts.find("text 77"), 77u);
  EXPECT_EQ(texts.find("no"), std::nullopt);
  EXPECT_EQ(TextDictionary().find(""), std::nullopt);
}

}  // namespace
}  // namespace lathe::manager

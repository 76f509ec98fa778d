#include "output/table.hpp"

#include <gtest/gtest.h>

#include "output/style.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

const Palette plain(false);

TEST(Table, AlignsByDisplayWidth) {
  Table table({{"NAME"}, {"VALUE", Align::Right}});
  table.add({{"模型"}, {"1"}});
  table.add({{"größer"}, {"1,000"}});
  EXPECT_EQ(table.draw(plain),
            "NAME    VALUE\n"
            "模型        1\n"
            "größer  1,000\n");
}

TEST(Table, LeavesNoBlanksAtTheEndOfALine) {
  Table table({{"A"}, {"LONG TITLE"}});
  table.add({{"x"}, {"y"}});
  EXPECT_EQ(table.draw(plain), "A  LONG TITLE\nx  y\n");
}

TEST(Table, EscapesHostileText) {
  Table table({{"A"}});
  table.add({{"\x1b[2J\n"}});
  EXPECT_EQ(table.draw(plain), "A\n\\x1b[2J\\n\n");
}

TEST(Table, ShrinksOnlyTheColumnsThatMay) {
  Table table({{"ID"}, {"PARAMETERS", Align::Left, true}, {"METRIC", Align::Right}});
  table.add({{"ab12cd34"}, {"l1 conv1.sparsity=0.4 conv2.sparsity=0.6"}, {"0.9714"}});
  const std::string drawn = table.draw(plain, 40);
  EXPECT_NE(drawn.find("ab12cd34  l1 conv1.sparsity=0.4…  0.9714\n"), std::string::npos) << drawn;
  for (std::size_t at = 0; at < drawn.size();) {
    const auto end = drawn.find('\n', at);
    EXPECT_LE(display_width(drawn.substr(at, end - at)), 40u);
    at = end + 1;
  }
}

TEST(Table, IsUnlimitedAwayFromTerminals) {
  Table table({{"P", Align::Left, true}});
  table.add({{std::string(500, 'x')}});
  EXPECT_NE(table.draw(plain, 0).find(std::string(500, 'x')), std::string::npos);
}

TEST(Table, DropsColumnsWithoutText) {
  Table table({{"A"}, {"B"}, {"C"}});
  table.add({{"1"}, {""}, {"3"}});
  table.drop_empty_columns();
  EXPECT_EQ(table.draw(plain), "A  C\n1  3\n");
}

TEST(Table, ColoursDoNotShiftColumns) {
  Table table({{"A"}, {"B"}});
  table.add({{"x", Style::Good}, {"y"}});
  EXPECT_EQ(table.draw(Palette(true)), "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[32mx\x1b[0m  y\n");
}

}  // namespace
}  // namespace lathe::cli

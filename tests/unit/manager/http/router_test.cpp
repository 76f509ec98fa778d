#include "http/router.hpp"

#include <array>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using boost::beast::http::verb;

struct Row {
  verb method;
  std::string_view pattern;
};

constexpr std::array<Row, 4> table{
    {{verb::get, "/things"}, {verb::post, "/things"}, {verb::get, "/things/{id}"}, {verb::post, "/things/{id}/stop"}}};

std::span<const Row> rows() {
  return table;
}

TEST(Router, FindsTheRowAndItsValues) {
  const auto match = find_route(rows(), verb::post, {"things", "a b", "stop"});
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->pattern, "/things/{id}/stop");
  EXPECT_EQ(match.path_values, (NamedValues{{"id", "a b"}}));
}

TEST(Router, ServesHeadByTheRowOfGet) {
  EXPECT_EQ(find_route(rows(), verb::head, {"things"}).route, &table[0]);
}

TEST(Router, NamesTheMethodsOfAPathThatHasOthers) {
  const auto match = find_route(rows(), verb::delete_, {"things"});
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST, OPTIONS");
}

TEST(Router, KnowsNoOtherPaths) {
  for (const std::vector<std::string>& path : {std::vector<std::string>{},
                                               {"thing"},
                                               {"things", ""},
                                               {"things", "x", "stop", "more"},
                                               {"things", "x", "go"}}) {
    const auto match = find_route(rows(), verb::get, path);
    EXPECT_EQ(match.route, nullptr);
    EXPECT_TRUE(match.allow.empty());
  }
}

}  // namespace
}  // namespace lathe::manager

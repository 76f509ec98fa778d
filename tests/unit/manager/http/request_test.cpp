#include "http/request.hpp"

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

HttpRequest parsed(std::string_view target) {
  HttpRequest request;
  EXPECT_TRUE(parse_target(target, request).has_value()) << target;
  return request;
}

TEST(Request, TakesTheTargetApart) {
  const HttpRequest request = parsed("/a/b%20c/%2e%2e?x=1%262&y&z=a+b");
  EXPECT_EQ(request.path, "/a/b%20c/%2e%2e");
  EXPECT_EQ(request.segments, (std::vector<std::string>{"a", "b c", ".."}));
  EXPECT_EQ(request.query, (NamedValues{{"x", "1&2"}, {"y", ""}, {"z", "a b"}}));
}

TEST(Request, KnowsAbsoluteAndAsteriskForm) {
  EXPECT_EQ(parsed("http://localhost:8080/a?b=c").path, "/a");
  EXPECT_EQ(parsed("http://localhost:8080").path, "/");
  EXPECT_EQ(parsed("*").path, "*");
  EXPECT_TRUE(parsed("/").segments.empty());
}

TEST(Request, RefusesWhatIsNoUrl) {
  for (const std::string_view target : {"", "a", "/a%zz", "/a b", "/a%", "/\x01"}) {
    HttpRequest request;
    EXPECT_FALSE(parse_target(target, request).has_value()) << target;
  }
}

}  // namespace
}  // namespace lathe::manager

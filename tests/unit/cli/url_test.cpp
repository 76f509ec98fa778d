#include "http/url.hpp"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(BaseUrl, ReadsWhatPeopleType) {
  EXPECT_EQ(parse_base_url("http://127.0.0.1:8080")->to_string(), "http://127.0.0.1:8080");
  EXPECT_EQ(parse_base_url("localhost:9000")->to_string(), "http://localhost:9000");
  EXPECT_EQ(parse_base_url("https://host:8443")->to_string(), "https://host:8443");
  EXPECT_EQ(parse_base_url("http://host/lathe/")->to_string(), "http://host:8080/lathe");
  EXPECT_EQ(parse_base_url("http://[::1]:81")->authority(), "[::1]:81");
}

TEST(BaseUrl, RefusesTheRestAsWrongUsage) {
  for (const char* text : {"", "ftp://host", "https://", "http://", "http://host:99999", "http://host:0",
                           "http://user@host", "http://host?x=1", "a b"}) {
    const auto url = parse_base_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ExitCode::Usage);
    EXPECT_NE(url.error().message.find("--url"), std::string::npos);
  }
}

TEST(ApiPath, NoIdClimbsOut) {
  EXPECT_EQ(api_path({"experiments", "ab12", "trials"}), "/api/v1/experiments/ab12/trials");
  EXPECT_EQ(api_path({"experiments", "../../log"}), "/api/v1/experiments/..%2F..%2Flog");
  EXPECT_EQ(api_path({"..", "a?b#c"}), "/api/v1/%2E%2E/a%3Fb%23c");
}

TEST(WithQuery, EncodesAndLeavesOutWhatIsEmpty) {
  EXPECT_EQ(with_query("/p", {{"a", "x y&z"}, {"b", ""}, {"c", "1"}}), "/p?a=x%20y%26z&c=1");
  EXPECT_EQ(with_query("/p", {{"a", ""}}), "/p");
}

TEST(BaseUrl, TellsWhetherItIsThisMachine) {
  for (const char* text : {"localhost", "127.0.0.1", "http://127.9.9.9:1", "https://[::1]:8443"})
    EXPECT_TRUE(parse_base_url(text)->is_loopback()) << text;
  for (const char* text : {"0.0.0.0", "10.0.0.1", "localhost.example", "[fe80::1]"})
    EXPECT_FALSE(parse_base_url(text)->is_loopback()) << text;
}

}  // namespace
}  // namespace lathe::cli

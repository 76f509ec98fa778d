#include "http/origin_guard.hpp"

#include <initializer_list>
#include <utility>

#include <gtest/gtest.h>
#include <boost/beast/http/verb.hpp>

namespace lathe::manager {
namespace {

bool is_refused(const std::string& host, const std::string& origin = "",
                const std::vector<std::string>& own_names = {}) {
  HttpRequest request;
  request.local_address = "10.1.2.3";
  if (!host.empty()) request.headers.set("Host", host);
  if (!origin.empty()) request.headers.set("Origin", origin);
  return refuse_foreign(request, own_names).has_value();
}

TEST(OriginGuard, LetsItsOwnAddressesPass) {
  for (const char* host : {"localhost", "LocalHost:8080", "127.0.0.1:9", "127.9.9.9", "[::1]:8080", "10.1.2.3:8080"}) {
    EXPECT_FALSE(is_refused(host)) << host;
  }
  EXPECT_FALSE(is_refused("box:8080", "", {"box"}));
}

TEST(OriginGuard, RefusesForeignHosts) {
  for (const char* host :
       {"evil.example", "evil.example:8080", "localhost.evil.example", "10.1.2.4", "127.0.0.1.evil.example", ""}) {
    EXPECT_TRUE(is_refused(host)) << host;
  }
}

TEST(OriginGuard, KnowsItsAddressesInEveryForm) {
  for (const char* host : {"localhost.", "[::1]", "127.0.0.1:", "[::ffff:127.0.0.1]:80", "[0:0:0:0:0:0:0:1]:8080"})
    EXPECT_FALSE(is_refused(host)) << host;
}

TEST(OriginGuard, RefusesHostsThatAreNoPlainAddress) {
  for (const char* host :
       {"0.0.0.0:8080", "[::]:8080", "127.1", "2130706433", "localhost@evil.example", "localhost:80x",
        "localhost:99999", "[::1", "[::1]x", "[localhost]", "[::1]evil.example", "localhost/evil.example",
        "localhost evil", ":8080", "localhost:8080:8080", "sub.localhost", "[::1%25eth0].evil.example"}) {
    EXPECT_TRUE(is_refused(host)) << host;
  }
}

TEST(OriginGuard, WantsOneHost) {
  HttpRequest request;
  EXPECT_TRUE(refuse_foreign(request, {}).has_value());
  request.version = 10;
  EXPECT_FALSE(refuse_foreign(request, {}).has_value());
  request.headers.insert("Host", "localhost");
  request.headers.insert("Host", "evil.example");
  EXPECT_TRUE(refuse_foreign(request, {}).has_value());
}

TEST(OriginGuard, RefusesForeignOrigins) {
  EXPECT_FALSE(is_refused("localhost:8080", "http://localhost:8080"));
  EXPECT_FALSE(is_refused("LOCALHOST:8080", "http://localhost:8080"));
  EXPECT_FALSE(is_refused("localhost", "http://localhost:80"));
  EXPECT_FALSE(is_refused("[::1]:8080", "http://[::1]:8080"));
  EXPECT_FALSE(is_refused("localhost:8080", "https://localhost:8080")) << "a proxy that speaks TLS";
  for (const char* origin :
       {"http://localhost:3000", "https://evil.example", "null", "file://", "http://127.0.0.1:8080",
        "http://[::1]:8080", "http://localhost:8080.evil.example", "http://localhost:8080@evil.example",
        "ftp://localhost:8080", "http://localhost", "http://localhost:8080/", "localhost:8080", "http://"}) {
    EXPECT_TRUE(is_refused("localhost:8080", origin)) << origin;
  }
}

/// A request to this daemon as a browser sends it.
HttpRequest browser(std::string_view method, std::string_view target,
                    std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
  HttpRequest request;
  request.method = boost::beast::http::string_to_verb({method.data(), method.size()});
  EXPECT_TRUE(parse_target(target, request).has_value());
  request.headers.set("Host", "localhost:8080");
  request.headers.set("User-Agent", "Mozilla/5.0");
  for (const auto& [name, value] : headers)
    request.headers.insert(boost::beast::string_view(name.data(), name.size()),
                           boost::beast::string_view(value.data(), value.size()));
  return request;
}

bool passes(const HttpRequest& request) {
  return !refuse_foreign(request, {});
}

TEST(OriginGuard, WantsOneOriginAndASecureOneOnASecureConnection) {
  EXPECT_FALSE(passes(browser("POST", "/api/v1/experiments",
                              {{"Origin", "http://localhost:8080"}, {"Origin", "https://evil.example"}})));
  EXPECT_FALSE(passes(browser("POST", "/api/v1/experiments", {{"Origin", ""}})));
  HttpRequest request = browser("POST", "/api/v1/experiments", {{"Origin", "http://localhost:8080"}});
  EXPECT_TRUE(passes(request));
  request.is_secure = true;
  EXPECT_FALSE(passes(request));
  request.headers.set("Origin", "https://localhost:8080");
  EXPECT_TRUE(passes(request));
}

TEST(OriginGuard, RefusesWhatOtherSitesMakeABrowserFetch) {
  for (const char* site : {"cross-site", "same-site", "something new"}) {
    EXPECT_FALSE(passes(browser("GET", "/api/v1/experiments", {{"Sec-Fetch-Site", site}}))) << site;
    EXPECT_FALSE(passes(browser("GET", "/app.js", {{"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", "no-cors"}}))) << site;
    EXPECT_FALSE(passes(browser("POST", "/api/v1/experiments/x/stop", {{"Sec-Fetch-Site", site}}))) << site;
  }
  for (const char* site : {"same-origin", "none"})
    EXPECT_TRUE(passes(browser("GET", "/api/v1/experiments", {{"Sec-Fetch-Site", site}}))) << site;
}

TEST(OriginGuard, LinksOfOtherSitesOpenPagesAlone) {
  const auto navigate = [](std::string_view method, std::string_view target, std::string_view destination) {
    return passes(
        browser(method, target,
                {{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", destination}}));
  };
  EXPECT_TRUE(navigate("GET", "/", "document"));
  EXPECT_FALSE(navigate("GET", "/", "iframe"));
  EXPECT_FALSE(navigate("POST", "/", "document"));
  EXPECT_FALSE(navigate("GET", "/api/v1/log", "document"));
}

TEST(OriginGuard, RefusesFormsOfBrowsersThatDoNotSayWhoseTheyAre) {
  const auto type = std::pair<std::string_view, std::string_view>("Content-Type", "text/plain");
  EXPECT_FALSE(passes(browser("POST", "/api/v1/experiments", {type})));
  EXPECT_FALSE(passes(browser("POST", "/api/v1/experiments", {type, {"Referer", "https://evil.example/form"}})));
  EXPECT_FALSE(passes(browser("POST", "/api/v1/experiments/x/stop", {{"Referer", "https://evil.example/form"}})));
  EXPECT_TRUE(passes(browser("POST", "/api/v1/experiments", {type, {"Referer", "http://localhost:8080/page"}})));
  HttpRequest curl = browser("POST", "/api/v1/experiments", {{"Content-Type", "application/x-www-form-urlencoded"}});
  curl.headers.set("User-Agent", "curl/8.0");
  EXPECT_TRUE(passes(curl));
}

TEST(OriginGuard, GrantsNoCorsRequest) {
  EXPECT_FALSE(passes(browser("OPTIONS", "/api/v1/experiments",
                              {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}})));
  EXPECT_FALSE(passes(browser("OPTIONS", "/api/v1/experiments", {{"Access-Control-Request-Method", "DELETE"}})));
  EXPECT_TRUE(passes(browser("OPTIONS", "/api/v1/experiments", {})));
}

}  // namespace
}  // namespace lathe::manager

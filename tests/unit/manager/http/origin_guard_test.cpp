#include "http/origin_guard.hpp"

#include <gtest/gtest.h>

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

TEST(OriginGuard, RefusesForeignOrigins) {
  EXPECT_FALSE(is_refused("localhost:8080", "http://localhost:8080"));
  for (const char* origin : {"http://localhost:3000", "https://evil.example", "null", "file://"}) {
    EXPECT_TRUE(is_refused("localhost:8080", origin)) << origin;
  }
}

}  // namespace
}  // namespace lathe::manager

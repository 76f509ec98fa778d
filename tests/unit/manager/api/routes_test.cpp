#include "api/routes.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>
#include <boost/algorithm/string/case_conv.hpp>

#include "api/openapi_text.hpp"
#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

using nlohmann::json;

std::set<std::string> documented_operations() {
  std::set<std::string> operations;
  const YAML::Node description = YAML::Load(std::string(openapi_text()));
  for (const auto& path : description["paths"]) {
    for (const auto& entry : path.second) {
      const auto method = entry.first.as<std::string>();
      if (method != "parameters")
        operations.insert(boost::algorithm::to_upper_copy(method) + " " + path.first.as<std::string>());
    }
  }
  return operations;
}

TEST(Routes, AreExactlyTheDocumentedOnes) {
  std::set<std::string> served;
  for (const Route& route : routes())
    served.insert(std::string(boost::beast::http::to_string(route.method)) + " " + std::string(route.pattern));
  EXPECT_EQ(served, documented_operations());
}

TEST(Routes, EveryReferenceOfTheDescriptionExists) {
  const YAML::Node description = YAML::Load(std::string(openapi_text()));
  const std::string text(openapi_text());
  for (auto at = text.find("'#/"); at != text.npos; at = text.find("'#/", at + 1)) {
    std::string path = text.substr(at + 3, text.find('\'', at + 1) - at - 3);
    YAML::Node node = YAML::Clone(description);
    for (std::size_t begin = 0; begin <= path.size();) {
      const auto end = std::min(path.find('/', begin), path.size());
      node.reset(node[path.substr(begin, end - begin)]);
      ASSERT_TRUE(node.IsDefined() && !node.IsNull()) << path;
      begin = end + 1;
    }
  }
}

TEST(Routes, EveryPlaceholderIsDocumented) {
  const YAML::Node description = YAML::Load(std::string(openapi_text()));
  const YAML::Node shared = description["components"]["parameters"];
  for (const auto& path : description["paths"]) {
    std::multiset<std::string> named;
    const auto take = [&](const YAML::Node& parameters) {
      for (const auto& parameter : parameters) {
        const std::string reference = parameter["$ref"] ? parameter["$ref"].as<std::string>() : "";
        const YAML::Node real = reference.empty() ? parameter : shared[reference.substr(reference.rfind('/') + 1)];
        if (real["in"].as<std::string>() == "path") named.insert(real["name"].as<std::string>());
      }
    };
    if (path.second["parameters"]) take(path.second["parameters"]);
    std::multiset<std::string> wanted;
    const auto pattern = path.first.as<std::string>();
    for (auto at = pattern.find('{'); at != pattern.npos; at = pattern.find('{', at + 1)) {
      wanted.insert(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
    }
    EXPECT_EQ(named, wanted) << pattern;
  }
}

using RoutesLive = LiveApi;

TEST_F(RoutesLive, AnswersUnknownPathsAndMethods) {
  const ClientResponse nothing = get("/api/v1/nothing");
  EXPECT_EQ(nothing.status, 404u);
  EXPECT_EQ(nothing.header("Content-Type"), "application/problem+json");
  const json problem = json::parse(nothing.body);
  EXPECT_EQ(problem["type"], "about:blank");
  EXPECT_EQ(problem["title"], "Not Found");
  EXPECT_EQ(problem["status"], 404);
  EXPECT_EQ(problem["instance"], "/api/v1/nothing");
  const ClientResponse wrong = ask("PUT", "/api/v1/experiments");
  EXPECT_EQ(wrong.status, 405u);
  EXPECT_EQ(wrong.header("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(ask("BREW", "/healthz").status, 501u);
}

TEST_F(RoutesLive, AnswersOptionsAndHead) {
  const ClientResponse options = ask("OPTIONS", "/api/v1/experiments/abcd1234");
  EXPECT_EQ(options.status, 204u);
  EXPECT_EQ(options.header("Allow"), "GET, HEAD, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "*").status, 204u);
  const ClientResponse head = ask("HEAD", "/version");
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.header("Content-Length"), std::to_string(get("/version").body.size()));
}

TEST_F(RoutesLive, RefusesOtherSites) {
  Client rebound = client();
  rebound.send("GET /version HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(rebound.receive().status, 403u);
  EXPECT_EQ(ask("POST", "/api/v1/experiments", "Origin: https://evil.example\r\n", "{}").status, 403u);
  EXPECT_EQ(ask("GET", "/version", "Origin: http://localhost\r\n").status, 200u);
}

TEST_F(RoutesLive, AnswersAboutItself) {
  EXPECT_EQ(get_json("/version"), (json{{"name", "lathed"}, {"version", "1.2.3"}}));
  EXPECT_EQ(get_json("/healthz"), (json{{"status", "ok"}}));
  EXPECT_EQ(get("/openapi.yaml").body, openapi_text());
}

TEST_F(RoutesLive, TellsOfHostsDrainsAndTestsThem) {
  HostStatus status;
  status.spec.kind = HostSpec::Kind::Remote;
  status.spec.id = "ana@a.lan:2222";
  status.spec.address = proto::SshAddress{};
  status.spec.address->password = proto::Secret("hunter2");
  status.spec.slots = 4;
  status.trouble = "nothing listens there";
  service_.hosts.push_back(status);
  const json all = get_json("/api/v1/hosts");
  ASSERT_EQ(all["items"].size(), 1u);
  EXPECT_EQ(all["items"][0]["id"], "ana@a.lan:2222");
  EXPECT_EQ(all["items"][0]["kind"], "remote");
  EXPECT_EQ(all["items"][0]["connected"], false);
  EXPECT_EQ(all["items"][0]["reason"], "nothing listens there");
  EXPECT_EQ(all.dump().find("hunter2"), std::string::npos);
  const std::string path = "/api/v1/hosts/ana%40a.lan%3A2222";
  EXPECT_EQ(get_json(path)["slots"], 4);
  EXPECT_EQ(json::parse(ask("POST", path + "/drain").body)["drained"], true);
  EXPECT_EQ(json::parse(ask("POST", path + "/resume").body)["drained"], false);
  const json test = json::parse(ask("POST", path + "/test").body);
  EXPECT_EQ(test["ok"], true);
  EXPECT_EQ(test["checks"][0]["verdict"], "OK");
  EXPECT_EQ(get("/api/v1/hosts/nowhere").status, 404u);
  EXPECT_EQ(ask("POST", "/api/v1/hosts/nowhere/drain").status, 404u);
}

TEST_F(RoutesLive, UnknownFailuresAre500AndHarmNobodyElse) {
  service_.is_broken = true;
  const ClientResponse failed = get("/healthz");
  EXPECT_EQ(failed.status, 500u);
  EXPECT_EQ(json::parse(failed.body)["instance"], "/healthz");
  EXPECT_EQ(failed.body.find("fake"), std::string::npos);
  EXPECT_EQ(get("/version").status, 200u);
}

TEST_F(RoutesLive, ServesTheDashboardWhereThereIsOne) {
  EXPECT_EQ(get("/").status, 404u);
  std::filesystem::create_directories(folder_ / "webui");
  write("webui/index.html", "<p>dashboard</p>");
  context_->webui = folder_ / "webui";
  EXPECT_EQ(get("/").body, "<p>dashboard</p>");
  EXPECT_EQ(ask("POST", "/").status, 405u);
  EXPECT_EQ(get("/..%2flathed.log").status, 404u);
}

}  // namespace
}  // namespace lathe::manager::testing

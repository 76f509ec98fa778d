#include "api/admission.hpp"

#include <gtest/gtest.h>

#include "access/access_control.hpp"
#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

/// The API of a daemon that wants tokens.
class Admission : public LiveApi {
 protected:
  Admission() {
    admin_ = file_.add("ana", Role::Admin).value();
    reader_ = file_.add("bob", Role::ReadOnly).value();
    if (const auto opened = access_.open(); !opened) throw std::runtime_error(opened.error().to_string());
    context_->access = &access_;
  }
  ~Admission() override { end_server(); }

  ClientResponse ask_with(const std::string& token, std::string_view method, std::string_view target,
                          std::string_view body = "") {
    return ask(method, target, "Authorization: Bearer " + token + "\r\n", body);
  }

  TokenFile file_{folder_};
  AccessControl access_{folder_};
  std::string admin_;
  std::string reader_;
};

constexpr const char* kList = "/api/v1/experiments";
constexpr const char* kStop = "/api/v1/experiments/abcd1234/stop";

TEST_F(Admission, NeedsATokenForEverythingThatSaysSomething) {
  for (const char* target : {kList, "/api/v1/log", "/api/v1/events", "/version", "/openapi.yaml", "/api/v1/nothing",
                             "/api/v1/experiments/abcd1234/trials/Taaaa/files/compressed.pt"}) {
    const ClientResponse refused = get(target);
    EXPECT_EQ(refused.status, 401u) << target;
    EXPECT_EQ(refused.header("WWW-Authenticate"), "Bearer realm=\"lathed\"");
    EXPECT_EQ(refused.header("Content-Type"), "application/problem+json");
  }
  EXPECT_EQ(ask("POST", kStop).status, 401u);
  EXPECT_EQ(ask("OPTIONS", kList).status, 401u);
  EXPECT_EQ(get("/healthz").status, 200u);
  EXPECT_EQ(get("/").status, 404u) << "the dashboard, if there were one";
}

TEST_F(Admission, AdminsMayDoEverything) {
  EXPECT_EQ(ask_with(admin_, "GET", kList).status, 200u);
  EXPECT_EQ(ask_with(admin_, "POST", kStop).status, 202u);
  EXPECT_EQ(ask("GET", kList, "authorization: bearer   " + admin_ + "\r\n").status, 200u);
}

TEST_F(Admission, ReadersMayOnlyRead) {
  EXPECT_EQ(ask_with(reader_, "GET", kList).status, 200u);
  EXPECT_EQ(ask_with(reader_, "HEAD", kList).status, 200u);
  for (const char* method : {"POST", "PATCH", "DELETE", "PUT"}) {
    const ClientResponse refused = ask_with(reader_, method, kStop);
    EXPECT_EQ(refused.status, 403u) << method;
    EXPECT_NE(refused.body.find("needs the role admin"), std::string::npos) << refused.body;
  }
  Client follower = client();
  follower.request("GET", "/api/v1/events", "Authorization: Bearer " + reader_ + "\r\n");
  follower.read_until("200 OK");
}

TEST_F(Admission, WrongTokensAreRefused) {
  for (const std::string& token : {std::string("lathe_wrong"), admin_ + "x", admin_.substr(1)}) {
    const ClientResponse refused = ask_with(token, "GET", kList);
    EXPECT_EQ(refused.status, 401u);
    EXPECT_NE(refused.header("WWW-Authenticate").find("invalid_token"), std::string::npos);
    EXPECT_EQ(refused.body.find(token), std::string::npos);
  }
  EXPECT_EQ(ask("GET", kList, "Authorization: Basic " + admin_ + "\r\n").status, 401u);
  EXPECT_EQ(ask("GET", kList, "Authorization: Bearer\r\n").status, 401u);
  const std::string both = "Authorization: Bearer " + admin_ + "\r\nAuthorization: Bearer " + reader_ + "\r\n";
  EXPECT_EQ(ask("GET", kList, both).status, 401u);
  EXPECT_EQ(get(std::string(kList) + "?token=" + admin_).status, 401u) << "no token in an address";
}

TEST_F(Admission, AnEditTakesEffectAtOnce) {
  EXPECT_EQ(ask_with(reader_, "GET", kList).status, 200u);
  ASSERT_TRUE(file_.remove("bob").has_value());
  EXPECT_EQ(ask_with(reader_, "GET", kList).status, 401u);
  const std::string carl = file_.add("carl", Role::Admin).value();
  EXPECT_EQ(ask_with(carl, "POST", kStop).status, 202u);
}

TEST_F(Admission, NoTokenIsGoodWhileTheFileIsNot) {
  std::filesystem::permissions(file_.path(), std::filesystem::perms(0644));
  EXPECT_EQ(ask_with(admin_, "GET", kList).status, 503u);
  std::filesystem::permissions(file_.path(), std::filesystem::perms(0600));
  EXPECT_EQ(ask_with(admin_, "GET", kList).status, 200u);
}

TEST_F(Admission, ATokenDoesNotExcuseAForeignSite) {
  const std::string token = "Authorization: Bearer " + admin_ + "\r\n";
  EXPECT_EQ(ask("GET", kList, token + "Origin: https://evil.example\r\n").status, 403u);
  EXPECT_EQ(ask("POST", kStop, token + "Sec-Fetch-Site: cross-site\r\n").status, 403u);
  Client rebound = client();
  rebound.send("GET / HTTP/1.1\r\nHost: evil.example\r\n" + token + "\r\n");
  EXPECT_EQ(rebound.receive().status, 403u);
}

TEST_F(Admission, TheBodyOfAStrangerIsNotWaitedFor) {
  Client stranger = client();
  stranger.send("POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(stranger.receive().status, 401u);
}

TEST_F(LiveApi, WithoutTokensForeignSitesAreRefusedAllTheSame) {
  EXPECT_EQ(ask("POST", kStop, "Origin: https://evil.example\r\n").status, 403u);
  EXPECT_EQ(ask("OPTIONS", kList, "Access-Control-Request-Method: POST\r\n").status, 403u);
  EXPECT_EQ(ask("POST", kStop).status, 202u);
}

TEST_F(LiveApi, TheDaemonIsDrainedAndResumed) {
  service_.daemon.running_trials = 3;
  EXPECT_EQ(get_json("/api/v1/daemon"),
            (nlohmann::json{{"version", "1.2.3"}, {"draining", false}, {"runningTrials", 3}}));
  EXPECT_EQ(nlohmann::json::parse(ask("PUT", "/api/v1/daemon/drain", "Content-Length: 0\r\n").body)["draining"], true);
  EXPECT_TRUE(service_.daemon.draining);
  EXPECT_EQ(nlohmann::json::parse(ask("DELETE", "/api/v1/daemon/drain").body)["draining"], false);
  EXPECT_FALSE(service_.daemon.draining);
  EXPECT_EQ(ask("PUT", "/api/v1/daemon/drain?x=1", "Content-Length: 0\r\n").status, 400u);
}

}  // namespace
}  // namespace lathe::manager::testing

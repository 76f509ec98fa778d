// lathectl as a whole against a daemon in this process: what is sent, what is printed, how it ends.
#include "app.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_daemon.hpp"
#include "json.hpp"

namespace lathe::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

Result lathectl(const std::string& url, const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in(input);
  const int code = run(arguments, {Screen{out}, Screen{err}, in, false, url});
  return {code, out.str(), err.str()};
}

Json experiment(const std::string& id, const std::string& status, int succeeded = 1) {
  return {{"id", id},
          {"name", "e-" + id},
          {"status", status},
          {"counts", {{"SUCCEEDED", succeeded}}},
          {"runDuration", 3},
          {"config", {{"maxTrialNumber", 4}, {"tuner", {{"classArgs", {{"optimize_mode", "maximize"}}}}}}}};
}

Json trial(const std::string& id, int sequence) {
  return {
      {"id", id}, {"sequence", sequence}, {"status", "SUCCEEDED"}, {"metric", 0.5}, {"parameters", {{"x", sequence}}}};
}

FakeAnswer json(const Json& body, int status = 200) {
  return {status, body.dump(), "application/json"};
}

FakeAnswer not_found() {
  return json({{"title", "Not Found"}, {"status", 404}, {"detail", "there is no such thing"}}, 404);
}

/// Answers GETs by their path without the query.
FakeDaemon::Handler from(std::map<std::string, Json> answers) {
  return [answers = std::move(answers)](const FakeRequest& request) {
    const auto found = answers.find(request.target.substr(0, request.target.find('?')));
    return found == answers.end() ? not_found() : json(found->second);
  };
}

TEST(App, HelpAndVersionEndWell) {
  const auto help = lathectl("", {"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("First steps"));
  EXPECT_EQ(lathectl("", {"trial", "ls", "--help"}).code, 0);
  EXPECT_THAT(lathectl("", {"trial", "ls", "--help"}).out, HasSubstr("lathectl trial ls --status"));
  EXPECT_THAT(lathectl("", {"--version"}).out, StartsWith("lathectl 0."));
}

TEST(App, WrongUsageIsTwo) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"frobnicate"},
                                             {"trial"},
                                             {"create"},
                                             {"trial", "ls", "--head", "0"},
                                             {"trial", "ls", "--head", "2", "--tail", "3"},
                                             {"experiment", "export", "--type", "xml"},
                                             {"-o", "yaml", "experiment", "list"},
                                             {"--url", "ftp://x", "experiment", "list"},
                                             {"trial", "show"},
                                             {"trial", "add", "x", "--parameters", "[1]"},
                                             {"top", "x"}}) {
    const auto result = lathectl("http://127.0.0.1:1", words);
    EXPECT_EQ(result.code, 2) << ::testing::PrintToString(words) << result.err;
    EXPECT_NE(result.err, "");
  }
}

TEST(App, NoDaemonIsThree) {
  std::string url;
  {
    url = FakeDaemon([](const FakeRequest&) { return FakeAnswer{}; }).url();
  }  // a port that was free a moment ago
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"experiment", "list"}, {"wait", "x"}, {"log", "daemon"}}) {
    const auto result = lathectl(url, words);
    EXPECT_EQ(result.code, 3);
    EXPECT_EQ(result.err, "no lathed at " + url + ": start one with `lathed`\n");
  }
}

TEST(App, TheUrlOptionWorksAnywhere) {
  const FakeDaemon daemon(from({{"/api/v1/experiments", {{"items", Json::array()}}}}));
  EXPECT_EQ(lathectl("http://127.0.0.1:1", {"experiment", "list", "--url", daemon.url()}).code, 0);
  EXPECT_EQ(lathectl("http://127.0.0.1:1", {"--url", daemon.url(), "experiment", "list"}).code, 0);
  EXPECT_EQ(lathectl(daemon.url(), {"--url", "http://127.0.0.1:1", "experiment", "list", "--url", daemon.url()}).code,
            0)
      << "the last one wins";
}

TEST(App, JsonIsTheDaemonsOwn) {
  const FakeDaemon daemon(from({{"/api/v1/experiments/aa", experiment("aa", "RUNNING")}}));
  const auto result = lathectl(daemon.url(), {"experiment", "show", "aa", "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out), experiment("aa", "RUNNING"));
}

class Create : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "lathectl-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    config_ = (folder_ / "experiment.yml").string();
    std::ofstream(config_) << "maxTrialNumber: 4\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::string config_;
};

TEST_F(Create, SendsTheFileAndItsFolder) {
  const FakeDaemon daemon([](const FakeRequest&) { return json(experiment("ab12cd34", "INITIALIZED"), 201); });
  const auto result = lathectl(daemon.url(), {"create", "--config", config_});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "ab12cd34\n");
  ASSERT_EQ(daemon.requests().size(), 1u);
  const auto request = daemon.requests().front();
  EXPECT_EQ(request.method, "POST");
  EXPECT_THAT(request.target, StartsWith("/api/v1/experiments?directory=%2F"));
  EXPECT_THAT(request.target, HasSubstr(folder_.filename().string()));
  EXPECT_EQ(request.body, "maxTrialNumber: 4\n");
}

TEST_F(Create, TellsEveryErrorOnALine) {
  const Json errors = {{{"field", "tuner.name"}, {"line", 3}, {"message", "unknown tuner \"X\""}},
                       {{"field", "a._value"}, {"line", 7}, {"file", "space.json"}, {"message", "is \x1b[2J empty"}}};
  const FakeDaemon daemon([&](const FakeRequest&) {
    return json({{"title", "Invalid"}, {"status", 422}, {"errors", errors}}, 422);
  });
  const auto result = lathectl(daemon.url(), {"create", "-c", config_});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, config_ + ":3: tuner.name: unknown tuner \"X\"\nspace.json:7: a._value: is \\x1b[2J empty\n");
}

TEST_F(Create, AMissingFileIsNamed) {
  const auto result = lathectl("http://127.0.0.1:1", {"create", "-c", (folder_ / "none.yml").string()});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("none.yml: No such file"));
  EXPECT_EQ(lathectl("http://127.0.0.1:1", {"create", "-c", folder_.string()}).code, 1);
}

TEST_F(Create, AnExportIsWholeOrNotThere) {
  const FakeDaemon daemon([](const FakeRequest& request) {
    if (request.target.find("/export?format=csv") != std::string::npos)
      return FakeAnswer{200, "sequence,x\n0,1\n", "text/csv"};
    if (request.target.find("/export") != std::string::npos) return not_found();
    return json(experiment("aa", "DONE"));
  });
  const auto file = folder_ / "out.csv";
  EXPECT_EQ(lathectl(daemon.url(), {"experiment", "export", "aa", "--type", "csv", "--filename", file.string()}).code,
            0);
  std::ifstream stream(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "sequence,x\n0,1\n");
  EXPECT_EQ(lathectl(daemon.url(), {"experiment", "export", "aa", "--filename", (folder_ / "no.json").string()}).code,
            1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no.json"));
}

TEST_F(Create, ATrialsFileIsDownloadedWhole) {
  const FakeDaemon daemon([](const FakeRequest& request) {
    const std::string trials = "/api/v1/experiments/aa/trials";
    if (request.target == trials + "/Xyz99/files/int8.pt")
      return FakeAnswer{200, std::string("PK\0\n\r", 5), "application/octet-stream"};
    if (request.target.find("/files/") != std::string::npos) return not_found();
    if (request.target.starts_with(trials + "/Xyz99")) return json(trial("Xyz99", 0));
    if (request.target.starts_with(trials)) return json({{"items", {trial("Xyz99", 0)}}});
    return json(experiment("aa", "DONE"));
  });
  const auto file = folder_ / "small.pt";
  const auto result =
      lathectl(daemon.url(), {"trial", "download", "aa", "Xyz99", "--file", "int8.pt", "--filename", file.string()});
  EXPECT_EQ(result.code, 0) << result.err;
  std::ifstream stream(file, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), std::string("PK\0\n\r", 5));
  EXPECT_EQ(
      lathectl(daemon.url(), {"trial", "download", "aa", "Xyz99", "--filename", (folder_ / "none").string()}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
  EXPECT_EQ(lathectl(daemon.url(), {"trial", "download", "aa", "Xyz99", "--file", "../../passwd"}).code, 2);
}

TEST(Resolve, LeavesOutTheOnlyUnfinishedOne) {
  const Json items = {{"items", {experiment("aa11", "DONE"), experiment("bb22", "RUNNING")}}};
  const FakeDaemon daemon(
      from({{"/api/v1/experiments", items}, {"/api/v1/experiments/bb22", experiment("bb22", "RUNNING")}}));
  EXPECT_THAT(lathectl(daemon.url(), {"experiment", "status"}).out, StartsWith("bb22 RUNNING"));
}

TEST(Resolve, PrefixesMustBeUnique) {
  const Json items = {
      {"items", {experiment("aa11", "DONE"), experiment("aa22", "DONE"), experiment("bb22", "STOPPED")}}};
  const FakeDaemon daemon(
      from({{"/api/v1/experiments", items}, {"/api/v1/experiments/bb22", experiment("bb22", "STOPPED")}}));
  EXPECT_THAT(lathectl(daemon.url(), {"experiment", "status", "b"}).out, StartsWith("bb22 STOPPED"));
  const auto ambiguous = lathectl(daemon.url(), {"experiment", "status", "aa"});
  EXPECT_EQ(ambiguous.code, 1);
  EXPECT_THAT(ambiguous.err, HasSubstr("aa is the start of 2 IDs"));
  EXPECT_THAT(lathectl(daemon.url(), {"experiment", "status", "zz"}).err, HasSubstr("there is no experiment zz"));
  EXPECT_THAT(lathectl(daemon.url(), {"experiment", "status"}).err, HasSubstr("which experiment?"));
}

TEST(Resolve, ATrialIsNamedByPrefixOrNumber) {
  const Json trials = {{"items", {trial("Abc12", 0), trial("Abd12", 1), trial("Xyz99", 12)}}};
  const FakeDaemon daemon(from({{"/api/v1/experiments/aa", experiment("aa", "DONE")},
                                {"/api/v1/experiments/aa/trials", trials},
                                {"/api/v1/experiments/aa/trials/Xyz99", trial("Xyz99", 12)}}));
  EXPECT_THAT(lathectl(daemon.url(), {"trial", "show", "aa", "X"}).out, HasSubstr("Xyz99"));
  EXPECT_THAT(lathectl(daemon.url(), {"trial", "show", "aa", "12"}).out, HasSubstr("Xyz99"));
  EXPECT_THAT(lathectl(daemon.url(), {"trial", "show", "aa", "Ab"}).err, HasSubstr("2 trials"));
  EXPECT_THAT(lathectl(daemon.url(), {"trial", "show", "aa", "7"}).err, HasSubstr("has no trial 7"));
}

TEST(TrialLs, FollowsCursorsAndTurnsTheTailRound) {
  const FakeDaemon daemon([](const FakeRequest& request) {
    if (request.target.find("/trials") == std::string::npos) return json(experiment("aa", "DONE"));
    if (request.target.find("cursor=c1") != std::string::npos) return json({{"items", {trial("T1", 1)}}});
    return json({{"items", {trial("T3", 3), trial("T2", 2)}}, {"nextCursor", "c1"}});
  });
  const auto result = lathectl(daemon.url(), {"trial", "ls", "aa", "--tail", "3", "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  const Json listing = Json::parse(result.out);
  ASSERT_EQ(listing["items"].size(), 3u);
  EXPECT_EQ(listing["items"][0]["id"], "T1");
  EXPECT_EQ(listing["items"][2]["id"], "T3");
  EXPECT_FALSE(listing.contains("nextCursor"));
  EXPECT_THAT(daemon.requests()[1].target, HasSubstr("sort=-sequence&limit=3"));
}

TEST(Update, ANumberStaysANumberAndNoneIsNull) {
  const FakeDaemon daemon([](const FakeRequest&) { return json(experiment("aa", "RUNNING")); });
  EXPECT_EQ(lathectl(daemon.url(), {"update", "concurrency", "aa", "--value", "3"}).code, 0);
  EXPECT_EQ(lathectl(daemon.url(), {"update", "duration", "aa", "--value", "2h"}).code, 0);
  EXPECT_EQ(lathectl(daemon.url(), {"update", "trialnum", "aa", "--value", "none"}).code, 0);
  EXPECT_EQ(lathectl(daemon.url(), {"update", "searchspace", "aa", "--filename", "-"},
                     R"({"x": {"_type": "choice", "_value": [1]}})")
                .code,
            0);
  std::vector<std::string> bodies;
  for (const auto& request : daemon.requests()) {
    if (request.method == "PATCH") bodies.push_back(request.body);
  }
  EXPECT_THAT(bodies, ::testing::ElementsAre(R"({"trialConcurrency":3})", R"({"maxExperimentDuration":"2h"})",
                                             R"({"maxTrialNumber":null})",
                                             R"({"searchSpace":{"x":{"_type":"choice","_value":[1]}}})"));
}

TEST(Update, ASearchSpaceThatIsNotJsonNamesItsLine) {
  const auto result =
      lathectl("http://127.0.0.1:1", {"update", "searchspace", "aa", "--filename", "-"}, "{\n\"x\": ,\n}");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.err, "-:2: not JSON\n");
}

TEST(Delete, NeedsAYes) {
  const FakeDaemon daemon([](const FakeRequest& request) {
    return request.method == "DELETE" ? FakeAnswer{204, "", ""} : json(experiment("aa", "DONE"));
  });
  EXPECT_EQ(lathectl(daemon.url(), {"experiment", "delete", "aa"}).code, 2);
  EXPECT_EQ(lathectl(daemon.url(), {"experiment", "delete", "aa", "-y"}).code, 0);
  EXPECT_EQ(daemon.requests().back().method, "DELETE");
}

TEST(Log, BytesPassUntouchedAwayFromTerminals) {
  const FakeDaemon daemon([](const FakeRequest&) {
    return FakeAnswer{200, std::string("\x1b[1mx\xff\n"), "text/plain"};
  });
  EXPECT_EQ(lathectl(daemon.url(), {"log", "daemon", "--tail", "5"}).out, "\x1b[1mx\xff\n");
  EXPECT_EQ(daemon.requests().front().target, "/api/v1/log?tail=5");
}

TEST(Log, TextIsEscapedOnATerminal) {
  const FakeDaemon daemon([](const FakeRequest&) {
    return FakeAnswer{200, std::string("\x1b[1mx\xff\n"), "text/plain"};
  });
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  EXPECT_EQ(run({"log", "daemon"}, {Screen{out, true, 80}, Screen{err}, in, false, daemon.url()}), 0);
  EXPECT_EQ(out.str(), "\\x1b[1mx\\xff\n");
}

/// A daemon with one experiment, whose event stream hangs up after the events of each turn.
FakeDaemon::Handler streaming(Json first, std::vector<std::string> turns) {
  auto turn = std::make_shared<std::size_t>(0);
  return [first = std::move(first), turns = std::move(turns), turn](const FakeRequest& request) {
    if (request.target.find("/events") != std::string::npos) {
      const std::string body = *turn < turns.size() ? turns[*turn] : "";
      ++*turn;
      return FakeAnswer{200, body, "text/event-stream"};
    }
    if (request.target.find("/trials") != std::string::npos) return json({{"items", {trial("Best1", 2)}}});
    return json(first);
  };
}

std::string event(const std::string& id, const Json& data) {
  return "id: " + id + "\nevent: experiment\ndata: " + data.dump() + "\n\n";
}

TEST(Wait, EndsWithTheBestTrials) {
  const FakeDaemon daemon(streaming(experiment("aa", "RUNNING"), {event("e-1", experiment("aa", "DONE", 4))}));
  const auto result = lathectl(daemon.url(), {"wait", "aa"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Best1"));
  EXPECT_THAT(result.err, HasSubstr("RUNNING  1/4 trials"));
  EXPECT_THAT(result.err, HasSubstr("DONE: 4/4 trials"));
}

TEST(Wait, GoesOnAfterALostConnectionWhereItWas) {
  const FakeDaemon daemon(streaming(experiment("aa", "RUNNING"), {event("e-1", experiment("aa", "RUNNING", 2)),
                                                                  event("e-2", experiment("aa", "DONE", 4))}));
  const auto result = lathectl(daemon.url(), {"wait", "aa", "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["status"], "DONE");
  std::vector<std::string> resumed;
  for (const auto& request : daemon.requests()) {
    if (request.target.find("/events") != std::string::npos) resumed.push_back(request.last_event_id);
  }
  EXPECT_THAT(resumed, ::testing::ElementsAre("", "e-1"));
}

TEST(Wait, AnEventWithoutConfigLeavesItAsItWas) {
  Json done = experiment("aa", "DONE", 4);
  done.erase("config");
  const FakeDaemon daemon(streaming(experiment("aa", "RUNNING"), {event("e-1", done)}));
  const auto result = lathectl(daemon.url(), {"wait", "aa", "-o", "json"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["config"], experiment("aa", "RUNNING")["config"]);
  EXPECT_THAT(result.err, HasSubstr("DONE  4/4 trials"));
}

TEST(Wait, AnyOtherEndIsFour) {
  const FakeDaemon none(streaming(experiment("aa", "DONE", 0), {}));
  EXPECT_EQ(lathectl(none.url(), {"wait", "aa"}).code, 4);
  const FakeDaemon stopped(streaming(experiment("aa", "STOPPED", 3), {}));
  EXPECT_EQ(lathectl(stopped.url(), {"wait", "aa"}).code, 4);
  Json broken = experiment("aa", "ERROR", 0);
  broken["error"] = "model.pt: not TorchScript";
  const FakeDaemon failed(streaming(broken, {}));
  const auto result = lathectl(failed.url(), {"wait", "aa"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("model.pt: not TorchScript"));
}

TEST(Wait, ADeletedExperimentIsFour) {
  const FakeDaemon daemon(streaming(experiment("aa", "RUNNING"), {"event: deleted\ndata: {\"id\":\"aa\"}\n\n"}));
  const auto result = lathectl(daemon.url(), {"wait", "aa"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("was deleted"));
}

TEST(Wait, RedrawsInPlaceOnATerminal) {
  const FakeDaemon daemon(streaming(experiment("aa", "RUNNING"), {event("e-1", experiment("aa", "DONE", 4))}));
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  EXPECT_EQ(run({"wait", "aa"}, {Screen{out}, Screen{err, true, 60}, in, false, daemon.url()}), 0);
  EXPECT_THAT(err.str(), HasSubstr("\r\x1b[K"
                                   "aa [█████░"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\x1b")));
}

TEST(Lathectl, DrainsAndResumesTheDaemon) {
  const FakeDaemon daemon([](const FakeRequest& request) {
    return json({{"version", "1.0"}, {"draining", request.method == "PUT"}, {"runningTrials", 1}});
  });
  EXPECT_EQ(lathectl(daemon.url(), {"daemon", "drain"}).out,
            "lathed 1.0: draining, starts nothing new, 1 trial runs\n");
  EXPECT_EQ(lathectl(daemon.url(), {"daemon", "resume"}).out, "lathed 1.0: open, 1 trial runs\n");
  EXPECT_EQ(Json::parse(lathectl(daemon.url(), {"daemon", "show", "-o", "json"}).out)["runningTrials"], 1);
  const auto requests = daemon.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].method + " " + requests[0].target, "PUT /api/v1/daemon/drain");
  EXPECT_EQ(requests[1].method + " " + requests[1].target, "DELETE /api/v1/daemon/drain");
  EXPECT_EQ(requests[2].method + " " + requests[2].target, "GET /api/v1/daemon");
}

TEST(Lathectl, ShowsDrainsAndTestsHosts) {
  const Json host{{"id", "ana@a:2222"},
                  {"kind", "remote"},
                  {"connected", false},
                  {"drained", false},
                  {"reason", "nothing listens there"},
                  {"slots", 4},
                  {"trials", {{"e1", 3}}}};
  const Json test{{"host", "ana@a:2222"},
                  {"ok", false},
                  {"checks",
                   {{{"step", "connection"}, {"verdict", "OK"}, {"detail", "it answers"}},
                    {{"step", "login"}, {"verdict", "FAILED"}, {"detail", "it refused\x1b[31m us"}}}}};
  const std::string path = "/api/v1/hosts/ana%40a%3A2222";
  const FakeDaemon daemon(from({{"/api/v1/hosts", {{"items", {host}}}},
                                {path, host},
                                {path + "/drain", host},
                                {path + "/resume", host},
                                {path + "/test", test}}));
  const Result all = lathectl(daemon.url(), {"host", "ls"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, HasSubstr("ana@a:2222  remote  away      3/4  nothing listens there"));
  EXPECT_THAT(lathectl(daemon.url(), {"host", "show", "ana@a:2222"}).out, HasSubstr("3 of experiment e1"));
  EXPECT_EQ(lathectl(daemon.url(), {"host", "drain", "ana@a:2222"}).code, 0);
  EXPECT_EQ(daemon.requests().back().method + " " + daemon.requests().back().target, "POST " + path + "/drain");
  EXPECT_EQ(lathectl(daemon.url(), {"host", "resume", "ana@a:2222"}).code, 0);
  const Result tested = lathectl(daemon.url(), {"host", "test", "ana@a:2222"});
  EXPECT_EQ(tested.code, 1) << "scripts can tell";
  EXPECT_THAT(tested.out, HasSubstr("FAILED   login"));
  EXPECT_THAT(tested.out, Not(HasSubstr("\x1b[31m")));
  EXPECT_EQ(lathectl(daemon.url(), {"host", "show", "nowhere"}).code, 1);
}

TEST(Lathectl, ShowsTheTokenOfAFile) {
  const FakeDaemon daemon(from({{"/api/v1/daemon", {{"version", "1.0"}}}}));
  const auto file = std::filesystem::temp_directory_path() / "lathectl-token-of-a-test";
  std::ofstream(file) << "lathe_abc\n";
  EXPECT_EQ(lathectl(daemon.url(), {"--token-file", file.string(), "daemon", "show"}).code, 0);
  EXPECT_EQ(daemon.requests().back().authorization, "Bearer lathe_abc");
  EXPECT_EQ(lathectl(daemon.url(), {"daemon", "show"}).code, 0);
  EXPECT_EQ(daemon.requests().back().authorization, "");
  std::filesystem::remove(file);
  const Result missing = lathectl(daemon.url(), {"--token-file", file.string(), "daemon", "show"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("lathectl-token-of-a-test: No such file"));
}

TEST(Lathectl, SaysThatAServerSpeaksNoTls) {
  const FakeDaemon daemon([](const FakeRequest&) { return FakeAnswer{}; });
  const Result result = lathectl("https" + daemon.url().substr(4), {"daemon", "show"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("secure connection"));
}

}  // namespace
}  // namespace lathe::cli

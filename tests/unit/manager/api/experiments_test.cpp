#include <gtest/gtest.h>

#include "live_api.hpp"

namespace lathe::manager::testing {
namespace {

using nlohmann::json;
using Experiments = LiveApi;
using Kind = ServiceError::Kind;

TEST_F(Experiments, AreListedAndShown) {
  EXPECT_EQ(get_json("/api/v1/experiments")["items"].size(), 1u);
  EXPECT_EQ(get_json("/api/v1/experiments/abcd1234")["id"], "abcd1234");
  EXPECT_EQ(get("/api/v1/experiments/nothere1").status, 404u);
}

TEST_F(Experiments, BadQueryParametersAreNamed) {
  struct Case {
    const char* target;
    const char* field;
  };
  for (const Case& bad :
       {Case{"/api/v1/experiments?limit=0", "limit"}, Case{"/api/v1/experiments?limit=1001", "limit"},
        Case{"/api/v1/experiments?limit=ten", "limit"}, Case{"/api/v1/experiments?limit=", "limit"},
        Case{"/api/v1/experiments?limit=99999999999999999999", "limit"},
        Case{"/api/v1/experiments?status=DONE,NOPE", "status"}, Case{"/api/v1/experiments?foo=1", "foo"},
        Case{"/api/v1/experiments/abcd1234/trials?sort=age", "sort"},
        Case{"/api/v1/experiments/abcd1234/metrics?type=final", "type"},
        Case{"/api/v1/experiments/abcd1234/export?format=xml", "format"}, Case{"/api/v1/log?tail=-1", "tail"},
        Case{"/api/v1/log?follow=maybe", "follow"}, Case{"/api/v1/events?kinds=all", "kinds"},
        Case{"/healthz?verbose=1", "verbose"}}) {
    const ClientResponse refused = get(bad.target);
    EXPECT_EQ(refused.status, 400u) << bad.target;
    EXPECT_EQ(json::parse(refused.body)["errors"][0]["field"], bad.field) << bad.target;
  }
}

TEST_F(Experiments, QueriesReachTheService) {
  get("/api/v1/experiments/abcd1234/trials?limit=7&cursor=3&status=FAILED,RUNNING&sort=-metric");
  EXPECT_EQ(service_.last_trial_query.experiment_id, "abcd1234");
  EXPECT_EQ(service_.last_trial_query.limit, 7);
  EXPECT_EQ(service_.last_trial_query.cursor, "3");
  EXPECT_EQ(service_.last_trial_query.sort, TrialSort::MetricDescending);
  EXPECT_EQ(service_.last_trial_query.statuses, (std::vector{proto::TrialStatus::Failed, proto::TrialStatus::Running}));
}

TEST_F(Experiments, RefusalsOfTheServiceHaveTheirStatus) {
  for (const auto& [kind, status] :
       {std::pair{Kind::Invalid, 422u}, {Kind::NotFound, 404u}, {Kind::Conflict, 409u}, {Kind::Unavailable, 503u}}) {
    service_.refusal = ServiceError{kind, {{"because", "a.b", "", 3}}};
    const ClientResponse refused = ask("POST", "/api/v1/experiments/abcd1234/stop");
    EXPECT_EQ(refused.status, status);
    EXPECT_EQ(json::parse(refused.body)["errors"],
              json::parse(R"([{"field": "a.b", "line": 3, "message": "because"}])"));
    EXPECT_EQ(refused.header("Retry-After").empty(), kind != Kind::Unavailable);
  }
}

TEST_F(Experiments, ActionsAnswerAsDocumented) {
  EXPECT_EQ(ask("POST", "/api/v1/experiments/abcd1234/stop").status, 202u);
  EXPECT_EQ(ask("POST", "/api/v1/experiments/abcd1234/resume").status, 200u);
  const ClientResponse removed = ask("DELETE", "/api/v1/experiments/abcd1234");
  EXPECT_EQ(removed.status, 204u);
  EXPECT_EQ(removed.header("Content-Length"), "");
}

constexpr const char* config = R"(
experimentName: from curl
trialCommand: echo
trialCodeDirectory: .
trialConcurrency: 1
tuner: {name: Random, classArgs: {optimize_mode: maximize}}
trainingService: {platform: local}
searchSpace: {x: {_type: uniform, _value: [0, 1]}}
)";

TEST_F(Experiments, AreCreatedFromYamlWhateverItsContentType) {
  const ClientResponse created = ask("POST", "/api/v1/experiments?directory=" + folder_.string(),
                                     "Content-Type: application/x-www-form-urlencoded\r\n", config);
  ASSERT_EQ(created.status, 201u) << created.body;
  EXPECT_EQ(created.header("Location"), "/api/v1/experiments/newone01");
  EXPECT_EQ(json::parse(created.body)["name"], "from curl");
}

TEST_F(Experiments, ConfigsThatAreWrongNameTheField) {
  const ClientResponse refused = ask("POST", "/api/v1/experiments", "", std::string(config) + "maxTrialNumber: many\n");
  EXPECT_EQ(refused.status, 422u);
  const json errors = json::parse(refused.body)["errors"];
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0]["field"], "maxTrialNumber");
  EXPECT_GT(errors[0]["line"], 0);
}

TEST_F(Experiments, ConfigsThatCannotBeReadAre400) {
  for (const char* text : {"{\"a\": ", "a: [1, 2", "a: b: c: d"})
    EXPECT_EQ(ask("POST", "/api/v1/experiments", "", text).status, 400u) << text;
}

TEST_F(Experiments, TheDirectoryMustBeAnAbsoluteFolder) {
  for (const char* directory : {"relative", "/no/such/folder"}) {
    const ClientResponse refused = ask("POST", std::string("/api/v1/experiments?directory=") + directory, "", config);
    EXPECT_EQ(refused.status, 400u);
    EXPECT_EQ(json::parse(refused.body)["errors"][0]["field"], "directory");
  }
}

TEST_F(Experiments, ChangesAreParsed) {
  const auto changed = ask("PATCH", "/api/v1/experiments/abcd1234", "",
                           R"({"trialConcurrency": 3, "maxTrialNumber": null, "maxTrialDuration": "2m"})");
  ASSERT_EQ(changed.status, 200u) << changed.body;
  ASSERT_TRUE(service_.last_change.has_value());
  EXPECT_EQ(service_.last_change->trial_concurrency, 3);
  ASSERT_TRUE(service_.last_change->max_trial_number.has_value());
  EXPECT_FALSE(service_.last_change->max_trial_number->has_value());
  EXPECT_EQ(service_.last_change->max_trial_duration, std::optional(std::chrono::seconds(120)));
  EXPECT_FALSE(service_.last_change->max_experiment_duration.has_value());
}

TEST_F(Experiments, BadChangesNameEveryField) {
  const auto refused = ask(
      "PATCH", "/api/v1/experiments/abcd1234", "",
      R"({"trialConcurrency": 0, "maxTrialNumber": 1.5, "maxTrialDuration": "soon", "name": "x", "searchSpace": []})");
  EXPECT_EQ(refused.status, 422u);
  std::set<std::string> fields;
  const json problem = json::parse(refused.body);
  for (const json& error : problem["errors"]) fields.insert(error["field"]);
  EXPECT_EQ(fields,
            (std::set<std::string>{"trialConcurrency", "maxTrialNumber", "maxTrialDuration", "name", "searchSpace"}));
  EXPECT_FALSE(service_.last_change.has_value());
}

TEST_F(Experiments, HostileJsonIsA400) {
  for (const std::string& body :
       {std::string(), std::string("{"), std::string(1000000, '['), std::string("{\"a\": \xff}")}) {
    EXPECT_EQ(ask("PATCH", "/api/v1/experiments/abcd1234", "", body).status, 400u);
  }
  EXPECT_EQ(ask("PATCH", "/api/v1/experiments/abcd1234", "", "[]").status, 422u);
}

TEST_F(Experiments, TrialsAreAddedAndCancelled) {
  const auto added = ask("POST", "/api/v1/experiments/abcd1234/trials", "", R"({"parameters": {"x": 0.5}})");
  EXPECT_EQ(added.status, 201u);
  EXPECT_EQ(added.header("Location"), "/api/v1/experiments/abcd1234/trials/Tadd1");
  EXPECT_EQ(*service_.last_parameters, nlohmann::ordered_json({{"x", 0.5}}));
  for (const char* body : {"{}", R"({"parameters": 1})", R"({"parameters": {}, "x": 1})"}) {
    EXPECT_EQ(ask("POST", "/api/v1/experiments/abcd1234/trials", "", body).status, 422u) << body;
  }
  add_trial("Taaaa", proto::TrialStatus::Running);
  EXPECT_EQ(ask("POST", "/api/v1/experiments/abcd1234/trials/Taaaa/cancel").status, 202u);
  EXPECT_EQ(ask("POST", "/api/v1/experiments/abcd1234/trials/Tnone/cancel").status, 404u);
}

TEST_F(Experiments, AreSearchedByNameAndSortedByFewWords) {
  EXPECT_EQ(get("/api/v1/experiments?search=mnist&platform=slurm&sort=name&status=DONE").status, 200u);
  EXPECT_EQ(service_.last_experiment_query.search, "mnist");
  EXPECT_EQ(service_.last_experiment_query.platform, "slurm");
  EXPECT_EQ(service_.last_experiment_query.sort, ExperimentSort::Name);
  for (const char* query : {"sort=size", "platform=cloud", "status=GONE", "serch=x"})
    EXPECT_EQ(get(std::string("/api/v1/experiments?") + query).status, 400u) << query;
}

TEST_F(Experiments, SayWhereTheyRunAndWhatTheyAreAfter) {
  service_.experiments["abcd1234"].config = nlohmann::ordered_json::parse(R"({
    "trainingService": [{"platform": "remote"}, {"platform": "local"}, {"platform": "remote"}],
    "tuner": {"classArgs": {"optimize_mode": "maximize"}}, "compression": {"objective": "speedup"}})");
  const auto experiment = get_json("/api/v1/experiments/abcd1234");
  EXPECT_EQ(experiment["platform"], "remote,local");
  EXPECT_EQ(experiment["objective"], (nlohmann::json{{"metric", "speedup"}, {"goal", "maximize"}}));
  service_.experiments["abcd1234"].config = nullptr;
  EXPECT_FALSE(get_json("/api/v1/experiments/abcd1234").contains("platform"));
}

}  // namespace
}  // namespace lathe::manager::testing

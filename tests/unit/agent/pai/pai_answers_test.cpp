// What PAI says, what it means, and how a job's end becomes a trial's.
#include "pai/pai_answers.hpp"

#include <signal.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pai/pai_end.hpp"

namespace lathe::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

const PaiAccess access{"https://pai.lan", "ana", "/secrets/token", {}};

PaiRefusal refusal(int status, const std::string& body = "") {
  return refusal_of({status, body, {}, {}}, access);
}

TEST(PaiListing, HoldsJobsByName) {
  const auto listing = parse_pai_listing(R"([
    {"name": "a", "state": "WAITING", "subState": "AttemptPreparing", "virtualCluster": "default", "appExitCode": null},
    {"name": "b", "state": "FAILED", "appExitCode": -210}, 7, {"state": "RUNNING"}, {"name": "c"}])");
  ASSERT_TRUE(listing);
  ASSERT_EQ(listing->size(), 2u);
  EXPECT_EQ(listing->at("a").sub_state, "AttemptPreparing");
  EXPECT_FALSE(listing->at("a").exit_code);
  EXPECT_FALSE(listing->at("a").is_over());
  EXPECT_EQ(listing->at("b").exit_code, -210);
  EXPECT_TRUE(listing->at("b").is_over());
}

TEST(PaiListing, MayStandInAnObject) {
  EXPECT_EQ(parse_pai_listing(R"({"totalCount": 1, "data": [{"name": "a", "state": "RUNNING"}]})")->size(), 1u);
}

TEST(PaiListing, SomethingElseIsNone) {
  for (const char* text : {"", "<html>", "{}", "{\"data\": 1}", "null", "[", "\xff"}) {
    EXPECT_FALSE(parse_pai_listing(text)) << text;
  }
}

TEST(PaiListing, AStateThatIsUnknownIsNoEnd) {
  for (const char* state : {"WAITING", "RUNNING", "STOPPING", "UNKNOWN", "NEW-ONE"}) {
    EXPECT_FALSE((PaiRow{"a", state, {}, {}, {}}.is_over())) << state;
  }
}

TEST(PaiDetail, TellsWhyAJobEnded) {
  const auto detail = parse_pai_detail(R"({"name": "a", "jobStatus": {"state": "FAILED", "appExitCode": 137,
    "appExitSpec": {"type": "RESOURCE_FAILURE", "phrase": "ContainerOOM", "reason": "too\nlittle"},
    "appExitMessages": {"launcher": null}, "appExitTriggerMessage": "Task trial[0] failed"}})");
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->row.exit_code, 137);
  EXPECT_EQ(detail->exit_type, "RESOURCE_FAILURE");
  EXPECT_EQ(detail->reason, "ContainerOOM: too little: Task trial[0] failed");
  EXPECT_FALSE(parse_pai_detail("{}"));
  EXPECT_FALSE(parse_pai_detail(R"({"name": 1, "jobStatus": []})"));
}

TEST(PaiClusterUse, IsTold) {
  EXPECT_EQ(parse_cluster_use(
                R"({"resourcesUsed": {"GPUs": 8, "vCores": 1.5}, "resourcesTotal": {"GPUs": 8, "vCores": 64}})"),
            "uses 8 of 8 GPUs, 1.5 of 64 CPUs");
  EXPECT_EQ(parse_cluster_use(R"({"resourcesUsed": {"GPUs": 8}, "resourcesTotal": {"GPUs": 8}})"), "uses 8 of 8 GPUs");
  EXPECT_EQ(parse_cluster_use("{}"), "");
  EXPECT_EQ(parse_cluster_use("[]"), "");
}

TEST(PaiRefusal, WhatMayPassIsTriedAgain) {
  for (const int status : {401, 408, 429, 500, 502, 503, 302}) EXPECT_TRUE(refusal(status).may_pass) << status;
  EXPECT_TRUE(refusal(404, "default backend").may_pass) << "not PAI's own";
  EXPECT_TRUE((refusal_of({0, {}, {}, "cannot connect"}, access).may_pass));
  for (const int status : {400, 403, 409, 413}) EXPECT_FALSE(refusal(status).may_pass) << status;
  EXPECT_FALSE(refusal(404, R"({"code": "NoVirtualClusterError", "message": "no"})").may_pass);
}

TEST(PaiRefusal, TellsJobsApart) {
  EXPECT_TRUE(refusal(404, R"({"code": "NoJobError"})").is_unknown_job);
  EXPECT_FALSE(refusal(404, "").is_unknown_job);
  EXPECT_TRUE(refusal(409, R"({"code": "ConflictJobError"})").is_taken_name);
  EXPECT_FALSE(refusal(409, R"({"code": "ConflictUserError"})").is_taken_name);
}

TEST(PaiRefusal, SaysWhatToDo) {
  const std::string expired = refusal(401, R"({"message": "Your token is invalid."})").message;
  EXPECT_THAT(expired, HasSubstr("the token of ana (401: Your token is invalid.)"));
  EXPECT_THAT(expired, HasSubstr("write it into /secrets/token"));
  EXPECT_EQ(refusal(400, R"({"code": "X", "message": "bad\nname"})").message, "https://pai.lan answers 400: bad name");
  EXPECT_EQ((refusal_of({0, {}, {}, "cannot connect: refused"}, access).message),
            "https://pai.lan cannot be asked: cannot connect: refused");
  EXPECT_THAT((refusal_of({307, {}, "https://other/", {}}, access).message), HasSubstr("leads on to https://other/"));
  EXPECT_LT(refusal(500, std::string(100'000, 'x')).message.size(), 500u);
}

// ---- ends -----------------------------------------------------------------------------------------------------------

PaiDetail ended(const std::string& state, std::optional<int> code = {}, const std::string& type = "") {
  return {{"j", state, {}, {}, code}, type, "phrase"};
}

TEST(PaiEnd, AShellsStatus) {
  EXPECT_EQ(pai_end_of_status(3).exit_code, 3);
  EXPECT_EQ(pai_end_of_status(139).signal, SIGSEGV);
  EXPECT_EQ(pai_end_of_status(255).exit_code, 255);
}

TEST(PaiEnd, WhatWeHaveStopped) {
  const JobEnd end = pai_end_of(ended("STOPPED"), SIGKILL);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(end.error, "");
}

TEST(PaiEnd, WhatSomebodyElseHasStopped) {
  const JobEnd end = pai_end_of(ended("STOPPED"), {});
  EXPECT_THAT(end.error, HasSubstr("stopped in PAI by somebody else"));
  EXPECT_FALSE(end.lost);
}

TEST(PaiEnd, FailuresOfPaiAreLostTrials) {
  EXPECT_TRUE(pai_end_of(ended("FAILED", -210, "PLATFORM_FAILURE"), {}).lost);
  EXPECT_TRUE(pai_end_of(ended("FAILED", -1), {}).lost);
  EXPECT_TRUE(pai_end_of(ended("FAILED"), {}).lost);
  EXPECT_FALSE(pai_end_of(ended("FAILED", -220, "RESOURCE_FAILURE"), {}).lost);
  EXPECT_FALSE(pai_end_of(ended("FAILED", 1, "USER_FAILURE"), {}).lost);
}

TEST(PaiEnd, FailuresOfTheContainerSayWhatToLookAt) {
  const JobEnd oom = pai_end_of(ended("FAILED", 137, "RESOURCE_FAILURE"), {});
  EXPECT_EQ(oom.signal, SIGKILL);
  EXPECT_THAT(oom.error, HasSubstr("phrase"));
  EXPECT_THAT(pai_end_of(ended("FAILED", 127, "USER_FAILURE"), {}).error, HasSubstr("containerStorageMountPoint"));
  EXPECT_THAT(pai_end_of(ended("FAILED", 73, "USER_FAILURE"), {}).error, HasSubstr("cannot write"));
  const JobEnd silent = pai_end_of(ended("SUCCEEDED", 0, "USER_SUCCESS"), {});
  EXPECT_THAT(silent.error, HasSubstr("has left no exit status"));
  EXPECT_FALSE(silent.exit_code);
}

}  // namespace
}  // namespace lathe::agent

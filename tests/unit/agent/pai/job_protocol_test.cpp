// The job that is submitted: made anew, or a protocol of the user's own that is filled in.
#include "pai/job_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::agent {
namespace {

using nlohmann::ordered_json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

PaiSettings settings(ordered_json protocol = nullptr) {
  PaiSettings settings;
  settings.mount = {"/mnt/here", "/mnt/there"};
  settings.storage = "nfs-data";
  settings.image = "me/torch";
  settings.cpus = 2;
  settings.memory_mb = 4096;
  settings.gpus = 1;
  settings.protocol = std::move(protocol);
  return settings;
}

ordered_json job_of(const PaiSettings& settings) {
  const auto protocol = JobProtocol::make(settings);
  if (!protocol) throw std::runtime_error(protocol.error().message);
  return ordered_json::parse(protocol->text("lathe-a-b", "/mnt/there/pai.sh"));
}

std::string problem_of(ordered_json protocol) {
  const auto made = JobProtocol::make(settings(std::move(protocol)));
  return made ? "" : made.error().message;
}

TEST(JobProtocol, OneIsMade) {
  const ordered_json expected = ordered_json::parse(R"({
    "taskRoles": {"trial": {
      "instances": 1, "taskRetryCount": 0, "completion": {"minFailedInstances": 1, "minSucceededInstances": 1},
      "resourcePerInstance": {"gpu": 1, "cpu": 2, "memoryMB": 4096}, "dockerImage": "lathe_image",
      "commands": ["bash '/mnt/there/pai.sh' lathe-a-b"]}},
    "prerequisites": [{"type": "dockerimage", "name": "lathe_image", "uri": "me/torch"}],
    "extras": {"storages": [{"name": "nfs-data", "mountPath": "/mnt/there"}]},
    "defaults": {"virtualCluster": "vc1"},
    "protocolVersion": 2, "type": "job", "jobRetryCount": 0, "name": "lathe-a-b"})");
  PaiSettings all = settings();
  all.virtual_cluster = "vc1";
  EXPECT_EQ(job_of(all), expected);
}

TEST(JobProtocol, WithoutAVirtualClusterPaiDecides) {
  EXPECT_FALSE(job_of(settings()).contains("defaults"));
}

TEST(JobProtocol, AGivenOneKeepsWhatItSays) {
  const ordered_json job = job_of(settings(ordered_json::parse(R"({
    "name": "mine", "jobRetryCount": 3, "prerequisites": [{"name": "img", "type": "dockerimage", "uri": "u"}],
    "taskRoles": {"work": {"dockerImage": "img", "resourcePerInstance": {"cpu": 9, "memoryMB": 10},
                           "commands": ["source env.sh"], "taskRetryCount": 4}},
    "extras": {"storages": [{"name": "nfs-data", "mountPath": "/elsewhere"}], "hivedScheduler": {"x": 1}}})")));
  const ordered_json& role = job["taskRoles"]["work"];
  EXPECT_EQ(role["dockerImage"], "img");
  EXPECT_EQ(role["resourcePerInstance"], ordered_json({{"cpu", 9}, {"memoryMB", 10}, {"gpu", 1}}));
  EXPECT_EQ(role["commands"], ordered_json({"source env.sh", "bash '/mnt/there/pai.sh' lathe-a-b"}));
  EXPECT_EQ(job["prerequisites"].size(), 1u);
  EXPECT_EQ(job["extras"]["storages"].size(), 1u);
  EXPECT_EQ(job["extras"]["hivedScheduler"]["x"], 1);
  EXPECT_EQ(job["name"], "lathe-a-b");
}

TEST(JobProtocol, PaiDoesNotRunATrialAgainByItself) {
  const ordered_json job = job_of(settings({{"jobRetryCount", 3}, {"taskRoles", {{"a", {{"taskRetryCount", 4}}}}}}));
  EXPECT_EQ(job["jobRetryCount"], 0);
  EXPECT_EQ(job["taskRoles"]["a"]["taskRetryCount"], 0);
}

TEST(JobProtocol, OfSeveralRolesTheOneWithoutCommandsRunsTheTrial) {
  const ordered_json job = job_of(settings(ordered_json::parse(
      R"({"taskRoles": {"server": {"dockerImage": "img", "commands": ["serve"]}, "worker": {}}})")));
  EXPECT_EQ(job["taskRoles"]["server"]["commands"], ordered_json({"serve"}));
  EXPECT_THAT(job["taskRoles"]["worker"]["commands"][0].get<std::string>(), StartsWith("bash "));
}

TEST(JobProtocol, SaysWhatIsWrong) {
  EXPECT_THAT(problem_of(ordered_json::object()), HasSubstr("taskRoles: expected an object"));
  EXPECT_THAT(problem_of({{"taskRoles", {{"a", 1}}}}), HasSubstr("taskRoles.a: expected an object"));
  EXPECT_THAT(problem_of(ordered_json::parse(R"({"taskRoles": {"a": {}, "b": {}}})")), HasSubstr("found 2"));
  EXPECT_THAT(problem_of(ordered_json::parse(R"({"taskRoles": {"a": {"instances": 2}}})")),
              HasSubstr("taskRoles.a.instances: expected 1"));
  EXPECT_THAT(problem_of(ordered_json::parse(R"({"taskRoles": {"a": {"commands": "x"}}})")),
              HasSubstr("commands: expected a list"));
  EXPECT_THAT(problem_of(ordered_json::parse(R"({"taskRoles": {"a": {}}, "extras": 1})")),
              HasSubstr("extras: expected an object"));
  PaiSettings poor = settings(ordered_json::parse(R"({"taskRoles": {"a": {}}})"));
  poor.memory_mb = 0;
  EXPECT_THAT(JobProtocol::make(poor).error().message, HasSubstr("no memoryMB"));
  poor.memory_mb = 1;
  poor.image.clear();
  EXPECT_THAT(JobProtocol::make(poor).error().message, HasSubstr("no dockerImage"));
}

TEST(JobProtocol, NamesAreWhatPaiTakes) {
  const std::string name = pai_job_name("0a1b", "exp/trial.7/0", "ffff");
  EXPECT_EQ(name, "lathe-0a1b-exp-trial-7-0-ffff");
  EXPECT_THAT(name, StartsWith(pai_job_prefix("0a1b")));
  const std::string longest = pai_job_name("0a1b", std::string(1000, 'x'), "ffff");
  EXPECT_TRUE(is_pai_job_name(longest));
  EXPECT_THAT(longest, EndsWith("-ffff"));
  EXPECT_FALSE(is_pai_job_name("a/../b"));
  EXPECT_FALSE(is_pai_job_name(""));
}

}  // namespace
}  // namespace lathe::agent

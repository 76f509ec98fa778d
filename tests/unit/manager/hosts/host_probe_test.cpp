#include "hosts/ssh/host_probe.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Verdict = HostCheck::Verdict;

constexpr const char* kGood =
    "Welcome to a.lan\n"
    "LATHE:system Linux x86_64\nLATHE:user ana\nLATHE:folder /home/ana/.lathe\nLATHE:disk 52428800\n"
    "LATHE:agent 1.2.0\nLATHE:gpu NVIDIA A100\nLATHE:gpu NVIDIA A100\nLATHE:trial /usr/bin/lathe-trial 1.2.0\n"
    "LATHE:end\n";

proto::SshAddress address() {
  return *parse_ssh_name("ana@a.lan:2222");
}

HostTest judge(const std::string& facts, const std::string& complaint = {}, bool late = false) {
  return judge_probe({facts, complaint, late}, address(), "1.2.0");
}

HostCheck step(const HostTest& test, const std::string& name) {
  const auto found =
      std::find_if(test.checks.begin(), test.checks.end(), [&](const HostCheck& check) { return check.step == name; });
  return found == test.checks.end() ? HostCheck{"none", Verdict::Skipped, ""} : *found;
}

std::string without(std::string text, const std::string& line) {
  const std::size_t at = text.find(line);
  return text.erase(at, text.find('\n', at) - at + 1);
}

TEST(HostProbe, AGoodMachinePassesEveryStep) {
  const HostTest test = judge(kGood);
  EXPECT_TRUE(test.ok());
  ASSERT_THAT(test.checks, SizeIs(8));
  for (const HostCheck& check : test.checks) EXPECT_EQ(check.verdict, Verdict::Ok) << check.step;
  EXPECT_EQ(step(test, "login").detail, "as ana");
  EXPECT_EQ(step(test, "disk").detail, "53.7 GB free");
  EXPECT_EQ(step(test, "GPUs").detail, "2: NVIDIA A100, NVIDIA A100");
}

TEST(HostProbe, TheFirstStepThatFailsSaysWhatToDoAndTheOthersWait) {
  HostTest test = judge("", "ssh: connect to host a.lan port 2222: Connection refused\n");
  EXPECT_EQ(step(test, "connection").verdict, Verdict::Failed);
  EXPECT_EQ(step(test, "host key").verdict, Verdict::Skipped);
  test = judge("", "Host key verification failed.\n");
  EXPECT_EQ(step(test, "connection").verdict, Verdict::Ok);
  EXPECT_EQ(step(test, "host key").verdict, Verdict::Failed);
  EXPECT_THAT(step(test, "host key").detail, HasSubstr("ssh -p 2222 ana@a.lan"));
  EXPECT_EQ(step(test, "login").verdict, Verdict::Skipped);
  test = judge("", "ana@a.lan: Permission denied (publickey).\n");
  EXPECT_EQ(step(test, "host key").verdict, Verdict::Ok);
  EXPECT_EQ(step(test, "login").verdict, Verdict::Failed);
  EXPECT_FALSE(test.ok());
}

TEST(HostProbe, SilenceIsAFailureToo) {
  EXPECT_EQ(step(judge("", "", true), "connection").verdict, Verdict::Failed);
  const HostTest test = judge("", "this account is not available\n");
  EXPECT_EQ(step(test, "login").verdict, Verdict::Ok);
  EXPECT_EQ(step(test, "session"), (HostCheck{"session", Verdict::Failed, "this account is not available"}));
  EXPECT_EQ(step(judge("LATHE:system Linux x86_64\nLATHE:user ana\n"), "session").verdict, Verdict::Failed);
}

TEST(HostProbe, WhatIsMissingOverThereIsNamed) {
  std::string facts = without(kGood, "LATHE:folder");
  facts.insert(0, "LATHE:nofolder /home/ana/.lathe\n");
  EXPECT_EQ(step(judge(facts), "folder").verdict, Verdict::Failed);
  EXPECT_EQ(step(judge(without(kGood, "LATHE:disk")), "disk").verdict, Verdict::Warning);
  EXPECT_THAT(step(judge(without(kGood, "LATHE:agent")), "agent").detail, HasSubstr("not there yet"));
  EXPECT_EQ(step(judge(without(without(kGood, "LATHE:gpu"), "LATHE:gpu")), "GPUs").verdict, Verdict::Skipped);
  EXPECT_THAT(step(judge(without(kGood, "LATHE:trial")), "trial program").detail, HasSubstr("is sent when"));
}

TEST(HostProbe, WhatIsWrongOverThereIsNamed) {
  const auto with = [](const std::string& line, const std::string& instead) {
    return instead + "\n" + without(kGood, line);
  };
  EXPECT_THAT(step(judge(with("LATHE:system", "LATHE:system Darwin arm64")), "agent").detail, HasSubstr("needs Linux"));
  EXPECT_EQ(step(judge(with("LATHE:agent", "LATHE:agent sh: cannot execute")), "agent").verdict, Verdict::Failed);
  EXPECT_EQ(step(judge(with("LATHE:disk", "LATHE:disk 1000")), "disk").verdict, Verdict::Warning);
  EXPECT_EQ(step(judge(with("LATHE:trial", "LATHE:trial /usr/bin/lathe-trial 1.1.0")), "trial program").verdict,
            Verdict::Warning);
  const std::string broken = with("LATHE:gpu", "LATHE:gpu NVIDIA-SMI has failed because it could not communicate");
  EXPECT_EQ(step(judge(broken), "GPUs").verdict, Verdict::Failed);
}

TEST(HostProbe, ReadsNamesOfMachinesAndNothingElse) {
  EXPECT_EQ(parse_ssh_name("a")->host, "a");
  EXPECT_EQ(parse_ssh_name("ana@a.lan:2222")->name(), "ana@a.lan:2222");
  for (const char* name : {"", "@a", "a:", "a:0", "a:99999", "a:x", "-oProxyCommand=x", "a b", "ana@-a", "$(id)@a"})
    EXPECT_FALSE(parse_ssh_name(name)) << name;
}

TEST(HostProbe, OfThisMachineTheAgentTells) {
  HostStatus status;
  status.trouble = "it has not been reached yet";
  EXPECT_FALSE(judge_status(status).ok());
  status.hello = proto::Hello{};
  status.report = proto::HostReport{};
  status.report->disk_free_bytes = 5'000'000'000;
  EXPECT_TRUE(judge_status(status).ok());
  status.report->gpu_error = "nvidia-smi did not answer";
  EXPECT_EQ(step(judge_status(status), "GPUs"), (HostCheck{"GPUs", Verdict::Failed, "nvidia-smi did not answer"}));
}

}  // namespace
}  // namespace lathe::manager

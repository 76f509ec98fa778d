// The launcher of kind "slurm" against a Slurm that does what the test says.

#include <signal.h>

#include <gmock/gmock.h>

#include "files.hpp"
#include "slurm/fake_slurm.hpp"

namespace lathe::agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* cannot_contact =
    "echo 'slurm: error: Unable to contact slurm controller (connect failure)' >&2; exit 1";

// ---- submitting -----------------------------------------------------------------------------------------------------

TEST_F(SlurmTest, ATrialWaitsRunsAndEnds) {
  Started& trial = start("x/1/0", "exit 3", {{"kind", "slurm"}, {"directives", {"--partition=gpu"}}});
  wait_until([&] { return trial.job->note() == "job 1: PENDING: Priority"; }, "the reason is told");
  EXPECT_FALSE(trial.job->pid());
  EXPECT_EQ(content_of(directory_of("x/1/0") / "slurm"), "job 1: PENDING: Priority\n");
  EXPECT_THAT(slurm_.calls("sbatch"),
              ElementsAre(testing::AllOf(HasSubstr("--partition=gpu"), HasSubstr("--job-name=lathe:x/1"),
                                         HasSubstr("--no-requeue"), HasSubstr("--comment=lathe:"))));
  slurm_.set("1", "RUNNING");
  wait_until([&] { return trial.job->pid().has_value(); }, "it runs");
  EXPECT_EQ(trial.job->pid(), 1);
  EXPECT_EQ(trial.job->note(), "job 1: RUNNING on node7");
  slurm_.run("1");
  EXPECT_EQ(end_of(trial).exit_code, 3);
  EXPECT_FALSE(end_of(trial).lost);
}

TEST_F(SlurmTest, TheTokenIsJournalledBeforeSbatch) {
  slurm_.answer("sbatch", "sleep 1000");
  Started& trial = start("x/1/0");
  wait_until([&] { return !slurm_.calls("sbatch").empty(); }, "sbatch runs");
  ASSERT_FALSE(trial.records.empty());
  const std::string token = trial.records.front().at("token");
  EXPECT_THAT(slurm_.calls("sbatch").front(), HasSubstr(":" + token + " "));
  EXPECT_EQ(trial.records.front().at("job"), "");
}

TEST_F(SlurmTest, StartsOfOneMomentBecomeAnArray) {
  const nlohmann::ordered_json other{{"kind", "slurm"}, {"directives", {"--mem=1"}}};
  Started& first = start("x/1/0", "exit 1");
  Started& second = start("x/2/0", "exit 2");
  Started& third = start("x/3/0", "exit 3", other);
  Started& fourth = start("y/1/0", "exit 4");
  wait_for_jobs(4);
  EXPECT_THAT(slurm_.jobs(), ElementsAre("1_0", "1_1", "2", "3"));
  for (const std::string& name : slurm_.jobs()) slurm_.run(name);
  EXPECT_EQ(end_of(first).exit_code, 1);
  EXPECT_EQ(end_of(second).exit_code, 2);
  EXPECT_EQ(end_of(third).exit_code, 3);
  EXPECT_EQ(end_of(fourth).exit_code, 4);
  EXPECT_THAT(slurm_.calls("sbatch"), SizeIs(3));
}

TEST_F(SlurmTest, WhereThereAreNoArraysEachIsSubmitted) {
  slurm_.answer("sbatch",
                R"sh(case "$*" in *--array=*) echo 'sbatch: error: Invalid job array specification' >&2; exit 1;; esac
rm "$fake/sbatch.answer"; exec "$0" "$@")sh");
  for (const char* id : {"x/1/0", "x/2/0"}) start(id, "exit 5");
  wait_for_jobs(2);
  EXPECT_THAT(slurm_.jobs(), ElementsAre("1", "2"));
  for (const std::string& name : slurm_.jobs()) slurm_.run(name);
  EXPECT_EQ(end_of(jobs_["x/1/0"]).exit_code, 5);
  EXPECT_EQ(end_of(jobs_["x/2/0"]).exit_code, 5);
}

TEST_F(SlurmTest, ARefusalIsTheEndAndSaysWhy) {
  slurm_.answer("sbatch", "echo 'sbatch: error: invalid partition specified: nosuch' >&2; exit 1");
  const JobEnd& end = end_of(start("x/1/0"));
  EXPECT_EQ(end.error, "Slurm refuses the job: invalid partition specified: nosuch");
  EXPECT_FALSE(end.lost);
}

TEST_F(SlurmTest, WithoutAControllerItTriesAgain) {
  slurm_.answer("sbatch", cannot_contact);
  Started& trial = start("x/1/0");
  wait_until([&] { return slurm_.calls("sbatch").size() >= 3; }, "it tries again");
  EXPECT_FALSE(trial.job->end());
  EXPECT_THAT(trial.job->note(), HasSubstr("not submitted yet: Unable to contact slurm controller"));
  slurm_.answer("sbatch", "");
  wait_for_jobs(1);
  slurm_.run("1");
  EXPECT_EQ(end_of(trial).exit_code, 0);
}

TEST_F(SlurmTest, AHangingSubmissionThatWasTakenIsFound) {
  times_.patience = std::chrono::milliseconds(3000);
  next_launcher();
  slurm_.answer("sbatch", "rm \"$fake/sbatch.answer\"; \"$0\" \"$@\" >/dev/null; exec sleep 1000");
  Started& trial = start("x/1/0", "exit 6");
  wait_until([&] { return trial.job->note() == "job 1: PENDING: Priority"; }, "it is found");
  slurm_.run("1");
  EXPECT_EQ(end_of(trial).exit_code, 6);
  EXPECT_THAT(slurm_.jobs(), SizeIs(1));
}

TEST_F(SlurmTest, AHangingSubmissionThatWasNotTakenIsMadeAgainAndCannotRunTwice) {
  times_.patience = std::chrono::milliseconds(3000);
  next_launcher();
  slurm_.answer("sbatch", "exec sleep 1000");
  Started& trial = start("x/1/0", "echo ran >> $NNI_SYS_DIR/runs");
  wait_until([&] { return !slurm_.calls("sbatch").empty(); }, "sbatch runs");
  const std::string first = trial.records.front().at("token");
  slurm_.answer("sbatch", "");
  wait_for_jobs(1);
  wait_until([&] { return trial.job->record().at("job") == "1"; }, "it is submitted");
  EXPECT_NE(trial.job->record().at("token"), first);
  EXPECT_FALSE(Claim(directory_of("x/1/0"), first).revoke()) << "the first submission could still run";
  slurm_.run("1");
  EXPECT_EQ(end_of(trial).exit_code, 0);
  EXPECT_EQ(content_of(directory_of("x/1/0") / "runs"), "ran\n");
}

// ---- what Slurm tells -----------------------------------------------------------------------------------------------

TEST_F(SlurmTest, AControllerThatIsAwayEndsNothing) {
  Started& trial = start("x/1/0", "exit 2");
  wait_for_jobs(1);
  slurm_.set("1", "RUNNING");
  wait_until([&] { return trial.job->pid().has_value(); }, "it runs");
  slurm_.answer("squeue", cannot_contact);
  wait_for_listings(5);
  EXPECT_FALSE(trial.job->end());
  EXPECT_THAT(trial.job->note(), HasSubstr("job 1: Slurm cannot be asked: Unable to contact"));
  slurm_.answer("squeue", "");
  wait_until([&] { return trial.job->note() == "job 1: RUNNING on node7"; }, "it answers again");
  slurm_.run("1");
  EXPECT_EQ(end_of(trial).exit_code, 2);
  EXPECT_THAT(log_text_.str(), HasSubstr("Slurm answers again"));
}

TEST_F(SlurmTest, AHangingListingEndsNothing) {
  times_.patience = std::chrono::milliseconds(1500);
  next_launcher();
  Started& trial = start("x/1/0");
  wait_until([&] { return !trial.job->record().at("job").get<std::string>().empty(); }, "it is submitted");
  slurm_.answer("squeue", "exec sleep 1000");
  wait_until([&] { return trial.job->note().find("no answer in 1500 ms") != std::string::npos; }, "that is told");
  EXPECT_FALSE(trial.job->end());
  slurm_.answer("squeue", "");
  slurm_.run("1");
  EXPECT_EQ(end_of(trial).exit_code, 0);
}

TEST_F(SlurmTest, OneListingIsForAllJobs) {
  for (int i = 0; i < 20; ++i) start("x/" + std::to_string(i) + "/0");
  wait_for_jobs(20);
  wait_for_listings(10);
  EXPECT_THAT(slurm_.calls("sbatch"), SizeIs(1));
  EXPECT_EQ(jobs_["x/7/0"].job->note().substr(0, 6), "job 1_");
}

TEST_F(SlurmTest, EndsBySlurmAreTold) {
  Started& late = start("x/1/0");
  Started& unlucky = start("x/2/0");
  Started& greedy = start("x/3/0");
  wait_for_jobs(3);
  slurm_.set("1_0", "TIMEOUT");
  slurm_.set("1_1", "NODE_FAIL");
  slurm_.set("1_2", "OUT_OF_MEMORY");
  EXPECT_EQ(end_of(late).error, "Slurm's time limit (job 1_0 on node7)");
  EXPECT_FALSE(end_of(late).lost);
  EXPECT_TRUE(end_of(unlucky).lost);
  EXPECT_EQ(end_of(unlucky).error, "Slurm: NODE_FAIL (job 1_1 on node7)");
  EXPECT_THAT(end_of(greedy).error, HasSubstr("out of memory"));
}

TEST_F(SlurmTest, ACancellationByHandIsAFailure) {
  Started& trial = start("x/1/0");
  wait_for_jobs(1);
  slurm_.set("1", "CANCELLED");
  EXPECT_EQ(end_of(trial).error, "cancelled in Slurm (job 1 on node7)");
  EXPECT_FALSE(end_of(trial).lost);
  EXPECT_THAT(slurm_.calls("sacct"), SizeIs(1));
}

TEST_F(SlurmTest, AccountingTellsByWhom) {
  slurm_.answer("sacct", "echo '1|CANCELLED by 1000|0:15|node7'");
  Started& trial = start("x/1/0");
  wait_for_jobs(1);
  slurm_.set("1", "CANCELLED");
  EXPECT_EQ(end_of(trial).error, "cancelled in Slurm by user id 1000 (job 1 on node7)");
}

TEST_F(SlurmTest, AJobThatSlurmHasForgottenHasTheEndThatItLeft) {
  Started& trial = start("x/1/0", "exit 4");
  wait_for_jobs(1);
  slurm_.run_script("1");
  slurm_.forget("1");
  EXPECT_EQ(end_of(trial).exit_code, 4);
}

TEST_F(SlurmTest, OrTheOneThatAccountingKnows) {
  slurm_.answer("sacct", "echo '1|TIMEOUT|0:15|node7'");
  Started& trial = start("x/1/0");
  wait_for_jobs(1);
  slurm_.forget("1");
  EXPECT_THAT(end_of(trial).error, HasSubstr("time limit"));
}

TEST_F(SlurmTest, OneThatLeftNothingIsLostAndNeverRuns) {
  Started& trial = start("x/1/0", "touch $NNI_SYS_DIR/ran");
  wait_until([&] { return trial.job->record().at("job") == "1"; }, "it is submitted");
  auto& job = dynamic_cast<SlurmJob&>(*trial.job);
  const auto now = std::chrono::steady_clock::now();
  job.observe(JobListing(), now);
  job.observe(JobListing(), now + SlurmJob::absence_patience - std::chrono::seconds(1));
  EXPECT_FALSE(job.end());
  job.observe(JobListing(), now + SlurmJob::absence_patience);
  ASSERT_TRUE(job.end());
  EXPECT_TRUE(job.end()->lost);
  EXPECT_EQ(slurm_.run_script("1"), 75);
  EXPECT_FALSE(std::filesystem::exists(directory_of("x/1/0") / "ran"));
}

TEST_F(SlurmTest, AStatusThatIsLateIsWaitedFor) {
  Started& trial = start("x/1/0", "exit 4");
  wait_for_jobs(1);
  slurm_.set("1", "FAILED", "NonZeroExitCode", 9 << 8);
  wait_for_listings(3);
  EXPECT_FALSE(trial.job->end());
  slurm_.run_script("1");
  EXPECT_EQ(end_of(trial).exit_code, 4);
}

TEST_F(SlurmTest, ARequeuedJobIsLost) {
  Started& trial = start("x/1/0");
  wait_for_jobs(1);
  slurm_.set("1", "RUNNING");
  wait_until([&] { return trial.job->pid().has_value(); }, "it runs");
  slurm_.set("1", "PENDING", "BeginTime");
  EXPECT_TRUE(end_of(trial).lost);
  EXPECT_THAT(end_of(trial).error, HasSubstr("back into its queue"));
}

// ---- ending ---------------------------------------------------------------------------------------------------------

TEST_F(SlurmTest, ATrialThatIsNotSubmittedIsWithdrawn) {
  slurm_.answer("sbatch", cannot_contact);
  Started& trial = start("x/1/0");
  wait_until([&] { return !slurm_.calls("sbatch").empty(); }, "sbatch runs");
  trial.job->terminate();
  EXPECT_EQ(end_of(trial).signal, SIGTERM);
  slurm_.answer("sbatch", "");
  EXPECT_THAT(slurm_.jobs(), IsEmpty());
}

TEST_F(SlurmTest, AWaitingJobIsCancelled) {
  Started& trial = start("x/1/0");
  wait_until([&] { return trial.job->record().at("job") == "1"; }, "it is submitted");
  trial.job->terminate();
  EXPECT_EQ(end_of(trial).signal, SIGTERM);
  EXPECT_EQ(end_of(trial).error, "");
  EXPECT_THAT(slurm_.calls("scancel"), ElementsAre("--quiet 1"));
}

TEST_F(SlurmTest, RunningJobsAreAskedThenCancelledTogether) {
  Started& first = start("x/1/0");
  Started& second = start("x/2/0");
  wait_for_jobs(2);
  for (const char* name : {"1_0", "1_1"}) slurm_.set(name, "RUNNING");
  wait_until([&] { return first.job->pid() && second.job->pid(); }, "they run");
  first.job->terminate();
  second.job->terminate();
  wait_until([&] { return !slurm_.calls("scancel").empty(); }, "scancel runs");
  EXPECT_THAT(slurm_.calls("scancel"), ElementsAre("--quiet --signal=TERM --full 1_0 1_1"));
  first.job->kill();
  wait_until([&] { return slurm_.calls("scancel").size() > 1; }, "scancel runs");
  EXPECT_THAT(slurm_.calls("scancel"), Contains("--quiet 1_0"));
  slurm_.set("1_0", "CANCELLED");
  EXPECT_EQ(end_of(first).signal, SIGKILL);
  EXPECT_FALSE(second.job->end());
}

TEST_F(SlurmTest, ACancellationThatFailsIsTriedAgain) {
  slurm_.answer("scancel", "exit 1");
  Started& trial = start("x/1/0");
  wait_until([&] { return trial.job->record().at("job") == "1"; }, "it is submitted");
  trial.job->terminate();
  wait_until([&] { return slurm_.calls("scancel").size() >= 3; }, "it is tried again");
  slurm_.answer("scancel", "");
  EXPECT_EQ(end_of(trial).signal, SIGTERM);
}

// ---- other agents ---------------------------------------------------------------------------------------------------

TEST_F(SlurmTest, ANextAgentGoesOnWithAJob) {
  Started& trial = start("x/1/0", "exit 5");
  wait_until([&] { return trial.job->record().at("job") == "1"; }, "it is submitted");
  const auto record = trial.job->record();
  next_launcher();
  Started& adopted = adopt("x/1/0", record);
  launcher_->forget_strangers();
  slurm_.set("1", "RUNNING");
  wait_until([&] { return adopted.job->pid().has_value(); }, "it is found");
  slurm_.run("1");
  EXPECT_EQ(end_of(adopted).exit_code, 5);
  EXPECT_THAT(slurm_.calls("scancel"), IsEmpty());
}

TEST_F(SlurmTest, ANextAgentFindsASubmissionByItsToken) {
  slurm_.answer("sbatch",
                "rm \"$fake/sbatch.answer\"; \"$0\" \"$@\" >/dev/null; touch \"$fake/taken\"; exec sleep 1000");
  Started& first = start("x/1/0", "exit 5");
  Started& second = start("x/2/0", "exit 6");
  wait_for_jobs(2);
  const auto records = std::pair(first.records.back(), second.records.back());
  next_launcher();
  EXPECT_EQ(records.first.at("job"), "");
  Started& adopted = adopt("x/1/0", records.first);
  Started& other = adopt("x/2/0", records.second);
  launcher_->forget_strangers();
  wait_until([&] { return adopted.job->record().at("job") == "1"; }, "it is found");
  slurm_.run("1_0");
  slurm_.run("1_1");
  EXPECT_EQ(end_of(adopted).exit_code, 5);
  EXPECT_EQ(end_of(other).exit_code, 6);
}

TEST_F(SlurmTest, ASubmissionThatNobodyHasIsLostAndNeverRuns) {
  slurm_.answer("sbatch", "exec sleep 1000");
  Started& trial = start("x/1/0");
  wait_until([&] { return !slurm_.calls("sbatch").empty(); }, "sbatch runs");
  const auto record = trial.records.back();
  next_launcher();
  Started& adopted = adopt("x/1/0", record);
  EXPECT_TRUE(end_of(adopted).lost);
  EXPECT_TRUE(Claim(directory_of("x/1/0"), record.at("token")).is_made());
}

TEST_F(SlurmTest, ATrialThatWasNeverReleasedIsLostAtOnce) {
  auto job = try_start("x/1/0", "true", {{"kind", "slurm"}});
  const auto record = (*job)->record();
  job->reset();
  Started& adopted = adopt("x/1/0", record);
  ASSERT_TRUE(adopted.job->end());
  EXPECT_TRUE(adopted.job->end()->lost);
  EXPECT_TRUE(adopt("x/2/0", {{"job", 3}}).job->end()->lost);
}

TEST_F(SlurmTest, JobsThatNobodyKnowsAreCancelled) {
  Started& trial = start("x/1/0");
  wait_until([&] { return trial.job->record().at("job") == "1"; }, "it is submitted");
  next_launcher();
  launcher_->forget_strangers();
  wait_until([&] { return slurm_.state_of("1") == "CANCELLED"; }, "it is cancelled");
}

TEST_F(SlurmTest, AnAgentThatNeverUsedSlurmDoesNotAsk) {
  launcher_->forget_strangers();
  io_.run_for(std::chrono::milliseconds(100));
  io_.restart();
  EXPECT_THAT(slurm_.calls("squeue"), IsEmpty());
}

TEST_F(SlurmTest, BadSettingsAreAnErrorOfTheStart) {
  const auto error = try_start("x/1/0", "true", {{"kind", "slurm"}, {"directives", {"--array=0-9"}}});
  ASSERT_FALSE(error);
  EXPECT_THAT(error.error().message, HasSubstr("launcher.directives: \"--array=0-9\""));
}

}  // namespace
}  // namespace lathe::agent

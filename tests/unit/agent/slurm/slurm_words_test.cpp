// What is said to Slurm and what it says, word by word.

#include <signal.h>

#include <gmock/gmock.h>

#include "slurm/job_rows.hpp"
#include "slurm/slurm_end.hpp"
#include "slurm/slurm_record.hpp"
#include "slurm/slurm_settings.hpp"
#include "slurm/submission.hpp"

namespace lathe::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::ordered_json;

// ---- settings -------------------------------------------------------------------------------------------------------

TEST(SlurmSettings, AreReadAndMayBeMissing) {
  const auto settings = SlurmSettings::from_json(
      {{"kind", "slurm"}, {"directives", {"--partition=gpu", "--clusters=b"}}, {"prologue", "module load cuda"}});
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->directives, ElementsAre("--partition=gpu", "--clusters=b"));
  EXPECT_EQ(settings->prologue, "module load cuda");
  EXPECT_EQ(settings->clusters(), "b");
  EXPECT_THAT(SlurmSettings::from_json({{"kind", "slurm"}})->directives, IsEmpty());
}

TEST(SlurmSettings, RefuseWhatIsNotAnOptionOrIsTheAgentsOwn) {
  const auto error_of = [](const Json& directives) {
    return SlurmSettings::from_json({{"directives", directives}}).error().message;
  };
  EXPECT_THAT(error_of("--x"), HasSubstr("list of texts"));
  EXPECT_THAT(error_of({3}), HasSubstr("list of texts"));
  EXPECT_THAT(error_of({"-p gpu"}), HasSubstr("does not begin with"));
  EXPECT_THAT(error_of({"--=x"}), HasSubstr("does not begin with"));
  EXPECT_THAT(error_of({"--mem=1\n--x"}), HasSubstr("more than one line"));
  for (const char* kept : {"--array=0-3", "--arr=0-3", "--output=x", "--comment=x", "--wrap=x", "--wait", "--requeue",
                           "--parsable", "--version", "--usage"}) {
    EXPECT_THAT(error_of({kept}), HasSubstr("for the agent to set")) << kept;
  }
  for (const char* free : {"--exclusive", "--export=NONE", "--wait-all-nodes=1", "--partition=x", "--account=a",
                           "--signal=B:USR1@60", "--cluster-constraint=x", "--job-name=x", "--error-x"}) {
    EXPECT_TRUE(SlurmSettings::from_json({{"directives", {free}}})) << free;
  }
  EXPECT_FALSE(SlurmSettings::from_json({{"prologue", 3}}));
  EXPECT_EQ(SlurmSettings::from_json({{"directives", {"--cluster-constraint=x"}}})->clusters(), "");
}

// ---- listings -------------------------------------------------------------------------------------------------------

/// As Slurm 22.05 prints them.
constexpr const char* listing =
    "squeue: warning: something\n"
    "1           |1                             |FAILED              |768        |NonZeroExitCode      |lathe:a:b   "
    "|node0|x\n"
    "6           |2_0                           |RUNNING             |0          |None                 |lathe:a:c   "
    "|node1|x\n"
    "5           |5                             |CANCELLED           |0          |Resources            |(null)      "
    "||x\n"
    "4           |4                             |NEW_STATE           |0          |None                 |(null)      "
    "||x\n";

TEST(JobRows, AreReadFromAListing) {
  const JobListing rows(parse_listing(listing));
  ASSERT_EQ(rows.rows().size(), 4u);
  const JobRow* failed = rows.find("1");
  ASSERT_NE(failed, nullptr);
  EXPECT_TRUE(failed->is_over());
  EXPECT_EQ(failed->status, 768);
  EXPECT_EQ(failed->nodes, "node0");
  EXPECT_TRUE(rows.find("2_0")->has_started());
  EXPECT_EQ(rows.find("2_0")->reason, "");
  EXPECT_EQ(rows.find_comment("lathe:a:c")->id, 6);
  EXPECT_EQ(rows.find_comment("(null)"), nullptr);
  EXPECT_FALSE(rows.find("4")->is_over());
  EXPECT_EQ(rows.find("7"), nullptr);
}

TEST(JobRows, ATaskThatNeverBeganHasTheRowOfItsArray) {
  const JobListing rows(parse_listing(listing));
  ASSERT_NE(rows.find("5_3"), nullptr);
  EXPECT_EQ(rows.find("5_3")->state, "CANCELLED");
  EXPECT_EQ(rows.find("6_0"), nullptr);
}

TEST(JobRows, HostileListingsAreNoRows) {
  EXPECT_THAT(parse_listing(""), IsEmpty());
  EXPECT_THAT(parse_listing("|||||||\n1|2|3\nx|1|RUNNING|0|||||\n1|1|RUNNING|99999999999|||||\n"), IsEmpty());
  EXPECT_THAT(parse_account("1|FAILED|x:y|n\n|\n"), IsEmpty());
}

TEST(JobRows, AccountingTellsWhoAndHow) {
  const JobListing rows(parse_account("12|CANCELLED by 1000|0:15|node3\n13_2|FAILED|3:0|None assigned\n"));
  EXPECT_EQ(rows.find("12")->base_state(), "CANCELLED");
  EXPECT_EQ(end_of(*rows.find("12"), std::nullopt, std::nullopt).error,
            "cancelled in Slurm by user id 1000 (job 12 on node3)");
  EXPECT_EQ(end_of(*rows.find("13_2"), std::nullopt, std::nullopt).exit_code, 3);
}

// ---- ends -----------------------------------------------------------------------------------------------------------

JobRow row(const std::string& state, int status = 0, const std::string& reason = "") {
  return {12, "12", state, status, reason, "", "node3", ""};
}

TEST(SlurmEnd, TheExitStatusOfTheScriptIsTheTrials) {
  EXPECT_EQ(end_of(row("COMPLETED"), 0, std::nullopt).exit_code, 0);
  EXPECT_EQ(end_of(row("FAILED", 3 << 8), 7, std::nullopt).exit_code, 7);
  EXPECT_EQ(end_of(row("FAILED", 3 << 8), std::nullopt, std::nullopt).exit_code, 3);
  EXPECT_EQ(end_of(row("FAILED", 9), std::nullopt, std::nullopt).signal, SIGKILL);
  const JobEnd signalled = end_of(row("FAILED", 139 << 8), 139, std::nullopt);
  EXPECT_EQ(signalled.signal, SIGSEGV);
  EXPECT_FALSE(signalled.exit_code);
  EXPECT_EQ(end_of_status(128).exit_code, 128);
  EXPECT_EQ(end_of_status(255).exit_code, 255);
}

TEST(SlurmEnd, WhatSlurmEndedSaysSo) {
  EXPECT_EQ(end_of(row("TIMEOUT"), 143, std::nullopt).error, "Slurm's time limit (job 12 on node3)");
  EXPECT_EQ(end_of(row("TIMEOUT"), 143, std::nullopt).signal, SIGTERM);
  EXPECT_THAT(end_of(row("OUT_OF_MEMORY"), std::nullopt, std::nullopt).error, HasSubstr("out of memory"));
  EXPECT_THAT(end_of(row("FAILED", 4021, "JobLaunchFailure"), std::nullopt, std::nullopt).error,
              HasSubstr("could not launch job 12 on node3"));
  for (const char* state : {"TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "CANCELLED"}) {
    EXPECT_FALSE(end_of(row(state), std::nullopt, std::nullopt).lost) << state;
    EXPECT_NE(end_of(row(state), std::nullopt, std::nullopt).error, "") << state;
  }
}

TEST(SlurmEnd, ANodesFailureLosesATrialUnlessItHadEnded) {
  for (const char* state : {"NODE_FAIL", "BOOT_FAIL", "PREEMPTED"}) {
    EXPECT_TRUE(end_of(row(state), std::nullopt, std::nullopt).lost) << state;
    EXPECT_TRUE(end_of(row(state), 143, std::nullopt).lost) << state;
    EXPECT_EQ(end_of(row(state), 4, std::nullopt).exit_code, 4) << state;
  }
}

TEST(SlurmEnd, ACancellationOfOursIsASignal) {
  EXPECT_EQ(end_of(row("CANCELLED"), std::nullopt, SIGTERM).signal, SIGTERM);
  EXPECT_EQ(end_of(row("CANCELLED"), std::nullopt, SIGTERM).error, "");
  EXPECT_EQ(end_of(row("CANCELLED"), 143, SIGKILL).signal, SIGTERM);
  EXPECT_EQ(end_of(row("CANCELLED"), 0, std::nullopt).exit_code, 0);
}

// ---- sbatch ---------------------------------------------------------------------------------------------------------

TEST(Submission, QuotesAndPutsTheAgentsOptionsLast) {
  Submission submission;
  submission.directives = {"--comment=mine", "--mem=1 G"};
  submission.job_name = "lathe:x/1";
  submission.comment = "lathe:o:t";
  submission.folder = "/a b";
  submission.output = percent_doubled("/a%j/stdout");
  submission.script = "/a b/slurm.sh";
  submission.token = "t";
  const std::string command = submit_command(submission);
  EXPECT_THAT(command, HasSubstr("'--mem=1 G'"));
  EXPECT_THAT(command, HasSubstr("--output='/a%%j/stdout'"));
  EXPECT_THAT(command, HasSubstr("'/a b/slurm.sh' 't'"));
  EXPECT_THAT(command, Not(HasSubstr("--array")));
  EXPECT_LT(command.find("--comment=mine"), command.find("--comment='lathe:o:t'"));
  submission.tasks = 3;
  EXPECT_THAT(submit_command(submission), HasSubstr("--array='0-2'"));
}

Refused refusal(int exit_code, const std::string& output) {
  return std::get<Refused>(read_answer({exit_code, output, ""}));
}

TEST(Submission, AnswersAreUnderstood) {
  EXPECT_EQ(std::get<Submitted>(read_answer({0, "12\n", ""})).job, "12");
  const auto elsewhere = std::get<Submitted>(read_answer({0, "sbatch: warning: x 3\n12;far\n", ""}));
  EXPECT_EQ(elsewhere.job, "12");
  EXPECT_EQ(elsewhere.cluster, "far");
  using Why = Refused::Why;
  const auto final = refusal(1, "sbatch: error: Batch job submission failed: Invalid partition name specified\n");
  EXPECT_EQ(final.why, Why::Final);
  EXPECT_EQ(final.message, "Batch job submission failed: Invalid partition name specified");
  EXPECT_EQ(refusal(0, "Submitted\n").why, Why::Final);
  EXPECT_EQ(refusal(127, "bash: sbatch: command not found\n").why, Why::Final);
  EXPECT_EQ(refusal(1, "sbatch: error: Unable to contact slurm controller (connect failure)\n").why, Why::Busy);
  EXPECT_EQ(refusal(1, "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Job violates\n").why, Why::Busy);
  EXPECT_EQ(refusal(1, "Socket timed out on send/recv operation\n").why, Why::Uncertain);
  EXPECT_EQ(refusal(1, "Invalid job array specification\n").why, Why::NoArrays);
  EXPECT_EQ(std::get<Refused>(read_answer({std::nullopt, "12\n", "no answer in 60000 ms"})).why, Why::Uncertain);
}

// ---- records --------------------------------------------------------------------------------------------------------

TEST(SlurmRecord, SurvivesTheJournalAndMayBeDamaged) {
  const SlurmRecord record{"ab12", 3, "77", "far"};
  const auto copy = SlurmRecord::from_json(record.to_json());
  EXPECT_EQ(copy.name(), "77_3");
  EXPECT_EQ(copy.token, "ab12");
  EXPECT_EQ(copy.cluster, "far");
  const auto damaged = SlurmRecord::from_json({{"token", "../x"}, {"job", "1;rm"}, {"task", "x"}, {"cluster", "$(x)"}});
  EXPECT_EQ(damaged.token + damaged.job + damaged.cluster, "");
  EXPECT_FALSE(damaged.task);
  EXPECT_EQ(SlurmRecord::from_json(nullptr).name(), "");
}

TEST(SlurmRecord, OnlyOnesOwnCommentsCarryATokenOfOnes) {
  EXPECT_EQ(token_of(slurm_comment("me", "ab"), "me"), "ab");
  EXPECT_FALSE(token_of(slurm_comment("you", "ab"), "me"));
  EXPECT_FALSE(token_of("", "me"));
}

}  // namespace
}  // namespace lathe::agent

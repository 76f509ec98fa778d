#include "experiment/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using proto::ExperimentStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A running experiment with room for four trials on a host without a limit.
Situation running_experiment() {
  Situation s;
  s.status = ExperimentStatus::Running;
  s.concurrency = 4;
  s.free_slots = 1000;
  return s;
}

TEST(Scheduler, AsksForAsManyTrialsAsCanStart) {
  Situation s = running_experiment();
  EXPECT_EQ(decide(s).suggest, 4);
  s.running = 3;
  s.submitted = 3;
  EXPECT_EQ(decide(s).suggest, 1);
  s.running = 4;
  EXPECT_EQ(decide(s).suggest, 0);
}

TEST(Scheduler, NeverAsksBeyondMaxTrialNumber) {
  Situation s = running_experiment();
  s.max_trials = 10;
  s.submitted = 8;
  EXPECT_EQ(decide(s).suggest, 2);
}

TEST(Scheduler, StartsCustomizedTrialsFirstThenByAge) {
  Situation s = running_experiment();
  s.concurrency = 3;
  s.waiting = {{1, false}, {5, true}, {2, false}, {9, true}};
  const Decision decision = decide(s);
  EXPECT_THAT(decision.start, ElementsAre(5, 9, 1));
  EXPECT_EQ(decision.suggest, 0) << "what waits comes before what could be suggested";
}

TEST(Scheduler, KeepsWithinTheHostsRoomAndPutsOneForwardToShowWhyItWaits) {
  Situation s = running_experiment();
  s.free_slots = 0;
  s.obstacle = "all slots are in use by other experiments";
  Decision decision = decide(s);
  EXPECT_EQ(decision.suggest, 1);
  s.waiting = {{0, false}};
  decision = decide(s);
  EXPECT_EQ(decision.suggest, 0);
  EXPECT_THAT(decision.start, IsEmpty());
  EXPECT_THAT(decision.wait_reason, HasSubstr("other experiments"));
  s.free_slots = 1;
  s.obstacle.clear();
  EXPECT_THAT(decide(s).start, ElementsAre(0));
}

TEST(Scheduler, SaysWhatIsInTheWay) {
  Situation s = running_experiment();
  s.waiting = {{0, false}};
  s.obstacle = "agent on local is not connected: refused";
  const Decision decision = decide(s);
  EXPECT_THAT(decision.start, IsEmpty());
  EXPECT_EQ(decision.wait_reason, "agent on local is not connected: refused");
  s = running_experiment();
  s.running = 4;
  s.waiting = {{7, true}};
  EXPECT_EQ(decide(s).wait_reason, "all 4 trials of trialConcurrency are running");
}

TEST(Scheduler, LoweringTheConcurrencyKillsNothing) {
  Situation s = running_experiment();
  s.concurrency = 1;
  s.running = 4;
  s.waiting = {{7, true}};
  const Decision decision = decide(s);
  EXPECT_EQ(decision.suggest, 0);
  EXPECT_THAT(decision.start, IsEmpty());
}

struct StatusCase {
  const char* what;
  Situation situation;
  ExperimentStatus expected;
};

TEST(Scheduler, StatusFollowsFromTheSituation) {
  const auto with = [](auto change) {
    Situation s = running_experiment();
    s.max_trials = 10;
    change(s);
    return s;
  };
  const std::vector<StatusCase> cases{
      {"limit reached, trials run", with([](Situation& s) { s.submitted = 10, s.running = 1; }),
       ExperimentStatus::NoMoreTrial},
      {"limit reached, one waits", with([](Situation& s) {
         s.submitted = 10, s.waiting = {{9, false}};
       }),
       ExperimentStatus::NoMoreTrial},
      {"limit reached, all ended", with([](Situation& s) { s.submitted = 10; }), ExperimentStatus::Done},
      {"limit raised after the end", with([](Situation& s) { s.submitted = 9, s.status = ExperimentStatus::Done; }),
       ExperimentStatus::Running},
      {"tuner empty, trials run", with([](Situation& s) { s.tuner_exhausted = true, s.running = 2; }),
       ExperimentStatus::TunerNoMoreTrial},
      {"tuner empty, all ended", with([](Situation& s) { s.tuner_exhausted = true; }), ExperimentStatus::Done},
      {"time is over, one runs", with([](Situation& s) { s.max_run_ms = 5, s.run_ms = 5, s.running = 1; }),
       ExperimentStatus::NoMoreTrial},
      {"time is over", with([](Situation& s) { s.max_run_ms = 5, s.run_ms = 6; }), ExperimentStatus::Done},
      {"stopping, one runs", with([](Situation& s) { s.status = ExperimentStatus::Stopping, s.running = 1; }),
       ExperimentStatus::Stopping},
      {"stopping, all ended", with([](Situation& s) { s.status = ExperimentStatus::Stopping; }),
       ExperimentStatus::Stopped},
      {"stopping while preparing", with([](Situation& s) {
         s.status = ExperimentStatus::Stopping;
         s.preparation = PreparationState::Running;
       }),
       ExperimentStatus::Stopping},
      {"stopped stays", with([](Situation& s) { s.status = ExperimentStatus::Stopped; }), ExperimentStatus::Stopped},
      {"error stays", with([](Situation& s) { s.status = ExperimentStatus::Error; }), ExperimentStatus::Error},
      {"preparing", with([](Situation& s) { s.preparation = PreparationState::Running; }),
       ExperimentStatus::Initialized},
      {"not prepared", with([](Situation& s) {
         s.status = ExperimentStatus::Initialized;
         s.preparation = PreparationState::Failed;
       }),
       ExperimentStatus::Error},
      {"prepared", with([](Situation& s) {
         s.status = ExperimentStatus::Initialized;
         s.preparation = PreparationState::Done;
       }),
       ExperimentStatus::Running},
  };
  for (const StatusCase& c : cases) EXPECT_EQ(decide(c.situation).status, c.expected) << c.what;
}

TEST(Scheduler, PreparesBeforeTheFirstTrial) {
  Situation s = running_experiment();
  s.status = ExperimentStatus::Initialized;
  s.preparation = PreparationState::Waiting;
  EXPECT_TRUE(decide(s).prepare);
  EXPECT_EQ(decide(s).suggest, 0);
  s.obstacle = "agent";
  EXPECT_FALSE(decide(s).prepare);
  s.obstacle.clear();
  s.free_slots = 0;
  EXPECT_FALSE(decide(s).prepare);
}

TEST(Scheduler, GivesWaitingTrialsUpWhenTheTimeIsOver) {
  Situation s = running_experiment();
  s.max_run_ms = 100;
  s.run_ms = 100;
  s.waiting = {{3, false}};
  const Decision decision = decide(s);
  EXPECT_THAT(decision.give_up, ElementsAre(3));
  EXPECT_THAT(decision.start, IsEmpty());
  EXPECT_EQ(decision.status, ExperimentStatus::Done);
}

TEST(Scheduler, StartsNothingWhileTheDaemonStops) {
  Situation s = running_experiment();
  s.closing = true;
  s.waiting = {{3, false}};
  const Decision decision = decide(s);
  EXPECT_THAT(decision.start, IsEmpty());
  EXPECT_EQ(decision.suggest, 0);
  EXPECT_EQ(decision.status, ExperimentStatus::Running);
}

}  // namespace
}  // namespace lathe::manager

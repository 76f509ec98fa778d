#include "experiment/outcome.hpp"

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

using proto::TrialExited;
using proto::TrialStatus;

TrialExited with_code(int code, std::string killed_by = {}) {
  TrialExited exited;
  exited.exit_code = code;
  exited.killed_by = std::move(killed_by);
  return exited;
}

TrialExited with_signal(int signal, std::string killed_by = {}) {
  TrialExited exited;
  exited.signal = signal;
  exited.killed_by = std::move(killed_by);
  return exited;
}

TrialExited lost() {
  TrialExited exited;
  exited.lost = true;
  exited.error = "agent was killed";
  return exited;
}

struct Case {
  const char* what;
  TrialExited exited;
  Attempt attempt;
  TrialStatus status;
  std::string reason;
};

TEST(Outcome, EveryWayToEnd) {
  TrialExited not_started;
  not_started.error = "no such folder";
  const Attempt plain;
  const Attempt limited{"", false, 0, 1, std::chrono::seconds(90)};
  const std::vector<Case> cases{
      {"success", with_code(0), plain, TrialStatus::Succeeded, ""},
      {"exit code", with_code(3), plain, TrialStatus::Failed, "exit code 3"},
      {"signal", with_signal(9), plain, TrialStatus::Failed, "killed by signal 9 (SIGKILL)"},
      {"not started", not_started, plain, TrialStatus::Failed, "could not be started: no such folder"},
      {"ended from outside", not_started, {"", false, 0, 1, {}, true}, TrialStatus::Failed, "no such folder"},
      {"too long", with_signal(15, "duration"), limited, TrialStatus::EarlyStopped,
       "longer than maxTrialDuration (90s)"},
      {"user", with_signal(15, "user"), {"user", false, 0, 1, {}}, TrialStatus::UserCanceled, "cancelled by a user"},
      {"stop",
       with_signal(15, "stop"),
       {"stop", false, 0, 1, {}},
       TrialStatus::UserCanceled,
       "its experiment was stopped"},
      {"ended by itself before the kill", with_code(0), {"user", false, 0, 1, {}}, TrialStatus::Succeeded, ""},
      {"requeued", with_signal(15, "requeue"), plain, TrialStatus::Waiting, "put back when the daemon was stopped"},
      {"requeued, but was wanted ended",
       with_signal(15, "requeue"),
       {"user", false, 0, 1, {}},
       TrialStatus::UserCanceled,
       "cancelled by a user"},
      {"finished while being requeued", with_code(0, "requeue"), {"", true, 0, 1, {}}, TrialStatus::Succeeded, ""},
      {"gave up while being requeued", with_code(0, "requeue"), plain, TrialStatus::Waiting,
       "put back when the daemon was stopped"},
      {"lost", lost(), plain, TrialStatus::Waiting, "lost: agent was killed"},
      {"lost too often",
       lost(),
       {"", false, 2, 2, {}},
       TrialStatus::Failed,
       "lost 3 times, last because agent was killed (maxRetries.lost 2)"},
      {"lost, and not to be run again",
       lost(),
       {"", false, 0, 0, {}},
       TrialStatus::Failed,
       "lost because agent was killed (maxRetries.lost 0)"},
      {"lost, but was wanted ended",
       lost(),
       {"stop", false, 0, 1, {}},
       TrialStatus::UserCanceled,
       "its experiment was stopped"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = outcome_of(c.exited, c.attempt);
    EXPECT_EQ(outcome.status, c.status) << c.what;
    EXPECT_EQ(outcome.reason, c.reason) << c.what;
  }
}

}  // namespace
}  // namespace lathe::manager

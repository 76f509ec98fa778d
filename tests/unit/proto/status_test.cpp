#include <set>

#include <gtest/gtest.h>

#include <lathe/proto/status.hpp>

namespace lathe::proto {
namespace {

TEST(Status, ExperimentNamesAreNnis) {
  EXPECT_EQ(to_string(ExperimentStatus::TunerNoMoreTrial), "TUNER_NO_MORE_TRIAL");
  EXPECT_EQ(to_string(ExperimentStatus::NoMoreTrial), "NO_MORE_TRIAL");
  EXPECT_EQ(to_string(ExperimentStatus::Viewed), "VIEWED");
  EXPECT_EQ(experiment_status_from("STOPPING"), ExperimentStatus::Stopping);
  EXPECT_EQ(experiment_status_from("stopping"), std::nullopt);
  EXPECT_EQ(experiment_status_from(""), std::nullopt);
}

TEST(Status, ExperimentNamesReadBack) {
  for (int i = 0; i <= static_cast<int>(ExperimentStatus::Viewed); ++i) {
    const auto status = static_cast<ExperimentStatus>(i);
    EXPECT_EQ(experiment_status_from(to_string(status)), status);
  }
}

TEST(Status, TrialNamesReadBackAndDiffer) {
  std::set<std::string_view> names;
  for (const TrialStatus status : all_trial_statuses) {
    EXPECT_EQ(trial_status_from(to_string(status)), status);
    names.insert(to_string(status));
  }
  EXPECT_EQ(names.size(), all_trial_statuses.size());
  EXPECT_EQ(to_string(TrialStatus::EarlyStopped), "EARLY_STOPPED");
}

TEST(Status, OnlyEndedTrialsAreFinal) {
  EXPECT_FALSE(is_final(TrialStatus::Unknown));
  EXPECT_FALSE(is_final(TrialStatus::Waiting));
  EXPECT_FALSE(is_final(TrialStatus::Running));
  for (const char* name : {"SUCCEEDED", "FAILED", "USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"}) {
    EXPECT_TRUE(is_final(trial_status_from(name).value())) << name;
  }
}

}  // namespace
}  // namespace lathe::proto

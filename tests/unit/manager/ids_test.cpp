#include "experiment/ids.hpp"

#include <cctype>
#include <set>

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

TEST(Ids, TrialIdsAreFiveCharactersALetterFirstAndNeverTwiceTheSame) {
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 50'000; ++i) {
    const std::string id = trial_id_for("abcd1234", i);
    ASSERT_EQ(id.size(), 5u);
    ASSERT_TRUE(std::isalpha(static_cast<unsigned char>(id[0])));
    ASSERT_TRUE(seen.insert(id).second) << i;
  }
  EXPECT_EQ(trial_id_for("abcd1234", 7), trial_id_for("abcd1234", 7));
  EXPECT_NE(trial_id_for("abcd1234", 7), trial_id_for("abcd1235", 7));
}

TEST(Ids, ExperimentIdsAreEightLowercaseCharacters) {
  const std::string id = random_experiment_id();
  EXPECT_EQ(id.size(), 8u);
  for (const char c : id)
    EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)));
  EXPECT_NE(random_experiment_id(), id);
}

TEST(Ids, AttemptsComeBackFromTheirText) {
  const AttemptId id{"abcd1234", "Xy12z", 3};
  EXPECT_EQ(id.to_string(), "abcd1234/Xy12z/3");
  EXPECT_EQ(AttemptId::parse("abcd1234/Xy12z/3"), id);
  for (const char* bad :
       {"", "a", "a/b", "a/b/", "a/b/x", "a/b/-1", "/b/1", "a//1", "a/b/1x", "a/b/99999999999999999999"}) {
    EXPECT_FALSE(AttemptId::parse(bad)) << bad;
  }
}

TEST(Ids, EachAttemptHasAFolderOfItsOwnElsewhere) {
  EXPECT_EQ((AttemptId{"e", "Xy12z", 0}.folder()), "trials/Xy12z");
  EXPECT_EQ((AttemptId{"e", "Xy12z", 2}.folder()), "trials/Xy12z.2");
  EXPECT_EQ((AttemptId{"e", "baseline", 0}.folder()), "baseline");
  EXPECT_EQ((AttemptId{"e", "baseline", 1}.folder()), "baseline.1");
}

}  // namespace
}  // namespace lathe::manager

#include "quiet_host.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace lathe::trial {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// One trial of the host, and what it said.
struct Occupant {
  explicit Occupant(const std::filesystem::path& folder)
      : host(QuietHost::enter(folder, [this](const std::string& line) { said.push_back(line); }).value()) {}

  std::vector<std::string> said;
  QuietHost host;
};

TEST(QuietHost, ThoseWhoComputeDoNotDisturbEachOther) {
  const test::TemporaryFolder folder;
  Occupant one(folder.path());
  Occupant two(folder.path());
  one.host.give_way();
  two.host.give_way();
  EXPECT_THAT(one.said, IsEmpty());
  EXPECT_THAT(two.said, IsEmpty());
}

TEST(QuietHost, AMeasurerWaitsUntilTheOthersGiveWay) {
  const test::TemporaryFolder folder;
  Occupant computing(folder.path());
  std::atomic<bool> is_computing = true;
  std::atomic<bool> was_disturbed = false;
  std::atomic<bool> measured = false;
  std::vector<std::string> said;
  std::thread measurer([&] {
    Occupant own(folder.path());
    own.host.alone([&] { was_disturbed = is_computing.load(); });
    said = own.said;
    measured = true;
  });
  while (!measured) {
    is_computing = false;
    computing.host.give_way();
    is_computing = true;
  }
  measurer.join();
  EXPECT_FALSE(was_disturbed);
}

TEST(QuietHost, AMeasurerWhoIsAloneDoesNotWait) {
  const test::TemporaryFolder folder;
  Occupant own(folder.path());
  bool measured = false;
  own.host.alone([&] { measured = true; });
  own.host.alone([] {});
  EXPECT_TRUE(measured);
  EXPECT_THAT(own.said, IsEmpty());
}

TEST(QuietHost, WhoComesWhileOneMeasuresWaitsAndSaysSo) {
  const test::TemporaryFolder folder;
  Occupant measurer(folder.path());
  std::thread late;
  std::vector<std::string> said;
  std::atomic<bool> is_waiting = false;
  std::atomic<bool> is_measuring = false;
  bool came_in_while_measuring = true;
  measurer.host.alone([&] {
    is_measuring = true;
    late = std::thread([&] {
      const auto host = QuietHost::enter(folder.path(), [&](const std::string& line) {
        said.push_back(line);
        is_waiting = true;
        is_waiting.notify_all();
      });
      came_in_while_measuring = is_measuring;
    });
    is_waiting.wait(false);
    is_measuring = false;
  });
  late.join();
  EXPECT_FALSE(came_in_while_measuring);
  EXPECT_THAT(said, ElementsAre(HasSubstr("measures latency")));
}

TEST(QuietHost, WhoFailsWhileMeasuringLetsTheOthersGoOn) {
  const test::TemporaryFolder folder;
  Occupant own(folder.path());
  EXPECT_THROW(own.host.alone([] { throw std::runtime_error("out of memory"); }), std::runtime_error);
  Occupant other(folder.path());
  EXPECT_THAT(other.said, IsEmpty());
}

TEST(QuietHost, ManyWhoComputeAndMeasureAllGetThrough) {
  const test::TemporaryFolder folder;
  constexpr int kThreads = 6;
  constexpr int kRounds = 40;
  std::atomic<int> computing = 0;
  std::atomic<int> measuring = 0;
  std::atomic<int> disturbed = 0;
  std::atomic<int> finished = 0;
  const auto live = [&](int index) {
    Occupant own(folder.path());
    for (int round = 0; round < kRounds; ++round) {
      ++computing;
      if (measuring != 0) ++disturbed;
      --computing;
      own.host.give_way();
      if ((round + index) % 4 != 0) continue;
      own.host.alone([&] {
        if (++measuring != 1 || computing != 0) ++disturbed;
        --measuring;
      });
    }
    ++finished;
  };
  std::vector<std::thread> threads;
  for (int index = 0; index < kThreads; ++index) threads.emplace_back(live, index);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(finished, kThreads);
  EXPECT_EQ(disturbed, 0);
}

TEST(QuietHost, WithoutAFolderNothingIsLocked) {
  auto host = QuietHost::enter(std::nullopt, [](const std::string&) {});
  ASSERT_TRUE(host);
  EXPECT_FALSE(host->is_shared());
  host->give_way();
  bool measured = false;
  host->alone([&] { measured = true; });
  EXPECT_TRUE(measured);
}

TEST(QuietHost, AFolderThatIsNotThereIsNamed) {
  const auto host = QuietHost::enter("/nowhere/at/all", [](const std::string&) {});
  ASSERT_FALSE(host);
  EXPECT_THAT(host.error().message, HasSubstr("/nowhere/at/all/quiet.turnstile"));
}

}  // namespace
}  // namespace lathe::trial

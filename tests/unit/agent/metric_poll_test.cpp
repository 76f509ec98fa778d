// Files that inotify tells nothing about.

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "files.hpp"
#include "metric_poll.hpp"
#include "temporary_folder.hpp"

namespace lathe::agent {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class MetricPollTest : public testing::Test {
 protected:
  void wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("too late");
      io_.run_for(milliseconds(20));
      io_.restart();
    }
  }

  TemporaryFolder folder_;
  boost::asio::io_context io_;
  std::vector<std::string> told_;
  MetricPoll poll_{io_, [this](const std::string& trial_id) { told_.push_back(trial_id); }};
};

TEST_F(MetricPollTest, AFileThatAppearsGrowsAndIsReplacedIsTold) {
  const auto file = folder_.path() / "metrics";
  poll_.add("a", file);
  poll_.add("b", folder_.path() / "other");
  append_to(file, "one");
  wait_until([&] { return told_.size() == 1; });
  append_to(file, "two");
  wait_until([&] { return told_.size() == 2; });
  append_to(folder_.path() / "new", "onetwo");
  std::filesystem::rename(folder_.path() / "new", file);
  wait_until([&] { return told_.size() == 3; });
  EXPECT_THAT(told_, ElementsAre("a", "a", "a"));
}

TEST_F(MetricPollTest, WhatIsRemovedIsNotLookedAtAndTheLoopEnds) {
  poll_.add("a", folder_.path() / "metrics");
  poll_.remove("a");
  append_to(folder_.path() / "metrics", "one");
  io_.run();
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace lathe::agent

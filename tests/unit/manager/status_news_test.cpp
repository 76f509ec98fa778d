#include "experiment/status_news.hpp"

#include <gtest/gtest.h>

#include "loop.hpp"

namespace lathe::manager {
namespace {

class StatusNewsTest : public ::testing::Test {
 protected:
  StatusNewsTest() {
    host_.spec.id = "local";
    news_ =
        std::make_unique<StatusNews>(loop_.context.get_executor(), events_,
                                     StatusNews::Sources{[this](const std::string& id) {
                                                           ++asked_;
                                                           return id == "local" ? std::optional(host_) : std::nullopt;
                                                         },
                                                         [this] { return daemon_; }},
                                     std::chrono::milliseconds(1));
  }
  void listen() {
    subscription_ = events_.subscribe([this](const Event& event) {
      EXPECT_EQ(event.experiment_id, "");
      kinds_ += event.kind + " ";
      last_ = nlohmann::json::parse(event.data);
    });
  }

  Loop loop_;
  EventBus events_;
  HostStatus host_;
  DaemonState daemon_;
  std::unique_ptr<StatusNews> news_;
  std::shared_ptr<void> subscription_;
  std::string kinds_;
  nlohmann::json last_;
  int asked_ = 0;
};

TEST_F(StatusNewsTest, TellsManyChangesOnce) {
  listen();
  for (int i = 0; i < 100; ++i) news_->host_changed("local");
  news_->host_changed("gone");
  news_->daemon_changed();
  ASSERT_TRUE(loop_.until([this] { return kinds_ == "host daemon "; })) << kinds_;
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(last_["draining"], false);
  EXPECT_TRUE(last_["version"].is_string());
}

TEST_F(StatusNewsTest, TellsOnlyWhatIsNew) {
  listen();
  news_->daemon_changed();
  ASSERT_TRUE(loop_.until([this] { return kinds_ == "daemon "; }));
  news_->daemon_changed();
  news_->host_changed("local");
  ASSERT_TRUE(loop_.until([this] { return kinds_ == "daemon host "; })) << kinds_;
  daemon_.draining = true;
  news_->daemon_changed();
  ASSERT_TRUE(loop_.until([this] { return kinds_ == "daemon host daemon "; }));
  EXPECT_EQ(last_["draining"], true);
}

TEST_F(StatusNewsTest, DoesNothingWhileNobodyListens) {
  news_->host_changed("local");
  loop_.context.run_for(std::chrono::milliseconds(10));
  EXPECT_EQ(asked_, 0);
}

}  // namespace
}  // namespace lathe::manager

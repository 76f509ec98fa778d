#include "api/trial_tables.hpp"

#include <gtest/gtest.h>
#include <boost/asio/thread_pool.hpp>

#include "../loop.hpp"
#include "fake_service.hpp"

namespace lathe::manager::testing {
namespace {

class Tables : public ::testing::Test {
 protected:
  Tables() {
    for (const char* id : {"exp00001", "exp00002"}) service_.experiments[id].id = id;
    for (int i = 0; i < 100; ++i) {
      TrialRecord trial;
      trial.sequence = i;
      trial.id = "T" + std::to_string(i);
      service_.trials.push_back(trial);
    }
  }
  ~Tables() override {
    tables_.reset();
    pool_.join();
  }

  void make(TrialTablesOptions options = {}) {
    tables_ = std::make_unique<TrialTables>(loop_.context.get_executor(), pool_.get_executor(), service_, options);
  }
  ServiceResult<std::size_t> count(const std::string& id, const std::string& key = "count") {
    auto work = [this](const TrialTable& table) {
      ++asked_;
      return table.rows();
    };
    return loop_.run(tables_->ask(id, key, work));
  }
  void publish(std::int64_t sequence, const std::string& id = "exp00001") {
    TrialRecord trial;
    trial.experiment_id = id;
    trial.sequence = sequence;
    trial.id = "E" + std::to_string(sequence);
    service_.events().publish(id, "trial", to_json(trial).dump());
  }

  Loop loop_;
  boost::asio::thread_pool pool_{2};
  FakeService service_;
  std::unique_ptr<TrialTables> tables_;
  std::atomic<int> asked_ = 0;
};

TEST_F(Tables, AreReadOnceAndKeptUpToDate) {
  make();
  EXPECT_EQ(count("exp00001").value(), 100u);
  publish(100);
  publish(5);
  publish(7, "exp00002");
  EXPECT_EQ(count("exp00001").value(), 101u);
  EXPECT_EQ(service_.scans, 1);
}

TEST_F(Tables, TakeEventsEvenIfNobodyAsks) {
  TrialTablesOptions options;
  options.pending_events = 2;
  make(options);
  ASSERT_TRUE(count("exp00001").has_value());
  for (int i = 0; i < 5; ++i) publish(100 + i);
  EXPECT_EQ(count("exp00001").value(), 105u);
}

TEST_F(Tables, AnswerTheSameQuestionOnceUntilSomethingChanges) {
  make();
  ASSERT_TRUE(count("exp00001").has_value());
  ASSERT_TRUE(count("exp00001").has_value());
  EXPECT_EQ(asked_, 1);
  ASSERT_TRUE(count("exp00001", "another").has_value());
  EXPECT_EQ(asked_, 2);
  publish(100);
  EXPECT_EQ(count("exp00001").value(), 101u);
  EXPECT_EQ(asked_, 3);
}

TEST_F(Tables, RefuseUnknownExperimentsAndTryAgainLater) {
  make();
  const auto refused = count("nothere1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ServiceError::Kind::NotFound);
  service_.experiments["nothere1"].id = "nothere1";
  EXPECT_TRUE(count("nothere1").has_value());
  service_.is_broken = true;
  EXPECT_EQ(count("exp00001").error().kind, ServiceError::Kind::Unavailable);
  service_.is_broken = false;
  EXPECT_TRUE(count("exp00001").has_value());
}

TEST_F(Tables, AreDroppedWhenIdleOrDeletedOrTooLarge) {
  make();
  ASSERT_TRUE(count("exp00001").has_value());
  tables_->drop_idle(TrialTables::Clock::now());
  EXPECT_EQ(tables_->size(), 1u);
  tables_->drop_idle(TrialTables::Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(tables_->size(), 0u);
  ASSERT_TRUE(count("exp00001").has_value());
  service_.events().publish("exp00001", "deleted", R"({"id": "exp00001"})");
  EXPECT_EQ(tables_->size(), 0u);
  TrialTablesOptions small;
  small.bytes = 1;
  make(small);
  ASSERT_TRUE(count("exp00001").has_value());
  ASSERT_TRUE(count("exp00002").has_value());
  EXPECT_EQ(tables_->size(), 1u) << "the one that was asked for longest ago is gone";
}

TEST_F(Tables, ThrowWhatAQuestionThrows) {
  make();
  auto bad = [](const TrialTable&) -> int { throw std::runtime_error("a defect"); };
  EXPECT_THROW((void)loop_.run(tables_->ask("exp00001", "bad", bad)), std::runtime_error);
  EXPECT_TRUE(count("exp00001").has_value());
  EXPECT_EQ(service_.scans, 2) << "the table is read anew";
}

}  // namespace
}  // namespace lathe::manager::testing

#include "storage/write_queue.hpp"

#include <future>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage_fixture.hpp"

namespace lathe::manager {
namespace {

using ::testing::HasSubstr;

class WriteQueueTest : public StorageTest {
 protected:
  /// A job that holds the storage thread until it is let through, so that others queue up behind it.
  class Gate {
   public:
    WriteQueue::Job job() {
      return [this, opened = opened_](Connection&) {
        reached_.set_value();
        opened.wait();
      };
    }
    void wait_until_reached() { reached_.get_future().wait(); }
    void open() { open_.set_value(); }

   private:
    std::promise<void> reached_;
    std::promise<void> open_;
    std::shared_future<void> opened_ = open_.get_future().share();
  };

  static WriteQueue::Job add_experiment(const std::string& id) {
    return [id](Connection& connection) { insert_experiment(connection, experiment_row(id)); };
  }

  static std::future<StorageResult<void>> push(WriteQueue& queue, WriteQueue::Job job) {
    auto promise = std::make_shared<std::promise<StorageResult<void>>>();
    auto future = promise->get_future();
    queue.push(std::move(job), [promise](StorageResult<void> result) { promise->set_value(std::move(result)); });
    return future;
  }
};

TEST_F(WriteQueueTest, WhatWaitsTogetherIsCommittedTogether) {
  WriteQueue queue(open());
  Gate gate;
  auto first = push(queue, gate.job());
  gate.wait_until_reached();
  std::vector<std::future<StorageResult<void>>> others;
  for (int i = 0; i < 20; ++i) others.push_back(push(queue, add_experiment("e" + std::to_string(i))));
  gate.open();
  EXPECT_TRUE(first.get());
  for (auto& other : others) EXPECT_TRUE(other.get());
  EXPECT_EQ(queue.commits(), 2u);
}

TEST_F(WriteQueueTest, AFailingJobTakesNoOtherDown) {
  WriteQueue queue(open());
  Gate gate;
  auto first = push(queue, gate.job());
  gate.wait_until_reached();
  auto good = push(queue, add_experiment("same"));
  auto duplicate = push(queue, add_experiment("same"));
  auto throwing = push(queue, [](Connection& connection) {
    insert_experiment(connection, experiment_row("half"));
    throw std::runtime_error("no more");
  });
  auto last = push(queue, add_experiment("last"));
  gate.open();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(good.get());
  const auto refused = duplicate.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, StorageError::Kind::Refused);
  EXPECT_THAT(throwing.get().error().message, HasSubstr("no more"));
  EXPECT_TRUE(last.get());
  Connection reader(file(), Access::ReadOnly);
  EXPECT_EQ(count(reader, "SELECT count(*) FROM experiments WHERE id IN ('same', 'last')"), 2);
  EXPECT_EQ(count(reader, "SELECT count(*) FROM experiments WHERE id = 'half'"), 0) << "half a job must not stay";
}

TEST_F(WriteQueueTest, AFullDiskIsUnavailableForTheLargeJobOnlyAndPasses) {
  auto connection = open();
  connection->execute("PRAGMA max_page_count = 40");
  WriteQueue queue(std::move(connection));
  const auto large = [](Connection& target) {
    ExperimentRow row = experiment_row("large");
    row.record.error = std::string(2'000'000, 'x');
    insert_experiment(target, row);
  };
  Gate gate;
  auto first = push(queue, gate.job());
  gate.wait_until_reached();
  auto before = push(queue, add_experiment("before"));
  auto full = push(queue, large);
  auto after = push(queue, add_experiment("after"));
  gate.open();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(before.get());
  EXPECT_TRUE(after.get());
  const auto refused = full.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, StorageError::Kind::Unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("disk full"));
  EXPECT_TRUE(push(queue, [](Connection& target) { target.execute("PRAGMA max_page_count = 100000"); }).get());
  EXPECT_TRUE(push(queue, large).get());
}

TEST_F(WriteQueueTest, CommitsWhatIsQueuedBeforeItEnds) {
  {
    WriteQueue queue(open());
    for (int i = 0; i < 10; ++i) queue.push(add_experiment("e" + std::to_string(i)), [](StorageResult<void>) {});
  }
  Connection reader(file(), Access::ReadOnly);
  EXPECT_EQ(count(reader, "SELECT count(*) FROM experiments"), 10);
}

}  // namespace
}  // namespace lathe::manager

#include "experiment/events.hpp"

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

TEST(EventBus, TellsListenersInOrderUntilTheirHandleDies) {
  EventBus bus;
  std::vector<std::string> heard;
  auto handle = bus.subscribe([&](const Event& event) { heard.push_back(event.data); });
  bus.publish("e", "trial", "1");
  bus.publish("e", "trial", "2");
  handle.reset();
  bus.publish("e", "trial", "3");
  EXPECT_EQ(heard, (std::vector<std::string>{"1", "2"}));
}

TEST(EventBus, AListenerMayDropItselfWhileItIsTold) {
  EventBus bus;
  int first = 0;
  int second = 0;
  std::shared_ptr<void> handle;
  handle = bus.subscribe([&](const Event&) {
    ++first;
    handle.reset();
  });
  auto other = bus.subscribe([&](const Event&) { ++second; });
  bus.publish("e", "trial", "1");
  bus.publish("e", "trial", "2");
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
}

TEST(EventBus, GoesOnWhereAListenerWas) {
  EventBus bus(3);
  for (int i = 1; i <= 5; ++i) bus.publish("e", "trial", std::to_string(i));
  ASSERT_TRUE(bus.since(2).has_value());
  EXPECT_EQ(bus.since(2)->size(), 3u);
  EXPECT_EQ(bus.since(2)->front().data, "3");
  EXPECT_EQ(bus.since(4)->front().id, 5u);
  EXPECT_TRUE(bus.since(5)->empty());
  EXPECT_FALSE(bus.since(1).has_value()) << "event 2 was dropped: the listener has to start over";
  EXPECT_FALSE(bus.since(6).has_value()) << "an id from another life";
}

TEST(EventBus, IsUnwantedUntilSomebodySubscribed) {
  EventBus bus;
  EXPECT_FALSE(bus.wanted());
  bus.subscribe([](const Event&) {}).reset();
  EXPECT_TRUE(bus.wanted());
}

TEST(EventBus, EpochsDiffer) {
  EXPECT_NE(EventBus().epoch(), EventBus().epoch());
}

TEST(EventBus, AHandleMayOutliveItsBus) {
  auto bus = std::make_unique<EventBus>();
  auto handle = bus->subscribe([](const Event&) {});
  bus.reset();
  handle.reset();
}

}  // namespace
}  // namespace lathe::manager

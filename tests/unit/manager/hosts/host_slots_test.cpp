#include "hosts/host_slots.hpp"

#include <gtest/gtest.h>

namespace lathe::manager {
namespace {

TEST(HostSlots, WithoutALimitThereIsAlwaysRoom) {
  HostSlots slots(std::nullopt);
  slots.update("a", {1000, 2000});
  EXPECT_GT(slots.available("a"), 1'000'000);
}

TEST(HostSlots, OneExperimentMayUseAll) {
  HostSlots slots(4);
  slots.update("a", {1, 10});
  EXPECT_EQ(slots.available("a"), 3);
}

TEST(HostSlots, ALatecomerGetsItsPartAsSlotsFallFree) {
  HostSlots slots(4);
  slots.update("a", {4, 10});
  slots.update("b", {0, 10});
  EXPECT_EQ(slots.available("b"), 0) << "nothing is taken away from a";
  EXPECT_TRUE(slots.update("a", {3, 10})) << "b is to be told";
  EXPECT_EQ(slots.available("a"), 0) << "a holds more than its half";
  EXPECT_EQ(slots.available("b"), 1);
  slots.update("b", {1, 10});
  EXPECT_EQ(slots.available("b"), 0);
}

TEST(HostSlots, WhatOneDoesNotWantIsForTheOthers) {
  HostSlots slots(8);
  slots.update("a", {1, 1});
  slots.update("b", {0, 10});
  slots.update("c", {0, 10});
  EXPECT_EQ(slots.available("b") + slots.available("c"), 4 + 3);
}

TEST(HostSlots, AnEndedExperimentLeavesItsRoom) {
  HostSlots slots(2);
  slots.update("a", {2, 2});
  slots.update("b", {0, 2});
  EXPECT_EQ(slots.available("b"), 0);
  EXPECT_TRUE(slots.remove("a"));
  EXPECT_EQ(slots.available("b"), 2);
  EXPECT_FALSE(slots.remove("a"));
}

TEST(HostSlots, RepeatingOneselfIsNoNews) {
  HostSlots slots(2);
  slots.update("a", {1, 2});
  slots.update("b", {1, 2});
  EXPECT_FALSE(slots.update("a", {1, 2}));
}

}  // namespace
}  // namespace lathe::manager

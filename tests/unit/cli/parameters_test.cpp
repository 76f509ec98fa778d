#include "output/parameters.hpp"

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

TEST(CompactParameters, TheAlgorithmLeads) {
  const Json parameters = {{"algorithm", {{"_name", "l1"}, {"conv1.sparsity", 0.4}, {"conv2.sparsity", 0.123456}}}};
  EXPECT_EQ(compact_parameters(parameters), "l1 conv1.sparsity=0.4 conv2.sparsity=0.1235");
}

TEST(CompactParameters, FlatOnesReadAsAssignments) {
  EXPECT_EQ(compact_parameters({{"lr", 0.01}, {"batch", 32}, {"act", "relu"}, {"bias", true}}),
            "lr=0.01 batch=32 act=relu bias=true");
}

TEST(CompactParameters, NestedChoicesKeepTheirNames) {
  const Json parameters = {{"lr", 0.01}, {"optimizer", {{"_name", "sgd"}, {"momentum", 0.9}}}};
  EXPECT_EQ(compact_parameters(parameters), "lr=0.01 optimizer=sgd optimizer.momentum=0.9");
}

TEST(CompactParameters, ListsAndEmptyThings) {
  EXPECT_EQ(compact_parameters({{"sizes", Json::array({1, 2})}, {"empty", Json::object()}}), "sizes=[1,2] empty={}");
  EXPECT_EQ(compact_parameters(Json::object()), "");
  EXPECT_EQ(compact_parameters(nullptr), "");
  EXPECT_EQ(compact_parameters(3), "3");
}

}  // namespace
}  // namespace lathe::cli

#include <lathe/compression/config_list.hpp>

#include <map>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

/// The net of the conformance cases; a ReLU has no weight, so it is no layer.
std::vector<Layer> layers() {
  std::vector<Layer> all;
  for (const auto& [name, type] : std::vector<std::pair<std::string, std::string>>{{"conv1", "Conv2d"},
                                                                                   {"conv2", "Conv2d"},
                                                                                   {"fc1", "Linear"},
                                                                                   {"fc2", "Linear"},
                                                                                   {"prelu", "PReLU"},
                                                                                   {"emb", "Embedding"},
                                                                                   {"bn", "BatchNorm2d"}}) {
    all.push_back({name, type, at::ones({2, 2}), {}});
  }
  return all;
}

Result<Selection> select(const char* json, EntryKeys keys = EntryKeys::OneShot) {
  const auto entries = parse_config_list(Json::parse(json), keys);
  if (!entries) return tl::unexpected(entries.error());
  return select_layers(*entries, layers(), default_op_types());
}

std::map<std::string, double> sparsities(const char* json, EntryKeys keys = EntryKeys::OneShot) {
  const auto selected = select(json, keys);
  EXPECT_TRUE(selected) << (selected ? "" : selected.error().message);
  std::map<std::string, double> found;
  if (!selected) return found;
  for (const auto& [layer, target] : selected->layers) found[layer.name] = target.sparsity;
  return found;
}

using Sparsities = std::map<std::string, double>;

TEST(ConfigListConformance, D01DefaultStandsForTheDefaultTypes) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.8, "op_types": ["default"]}])"),
            (Sparsities{{"conv1", .8}, {"conv2", .8}, {"fc1", .8}, {"fc2", .8}, {"prelu", .8}, {"emb", .8}}));
}

TEST(ConfigListConformance, D02LaterEntriesReplaceEarlierOnes) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.8, "op_types": ["default"]}, {"sparsity": 0.6, "op_names": ["conv2"]},
                           {"exclude": true, "op_names": ["fc2"]}])"),
            (Sparsities{{"conv1", .8}, {"conv2", .6}, {"fc1", .8}, {"prelu", .8}, {"emb", .8}}));
}

TEST(ConfigList, ALaterMatchUndoesAnExclude) {
  EXPECT_EQ(sparsities(R"([{"exclude": true, "op_names": ["fc1"]}, {"sparsity": 0.3, "op_types": ["Linear"]}])"),
            (Sparsities{{"fc1", .3}, {"fc2", .3}}));
}

TEST(ConfigList, ExcludeCountsByItsTruthValue) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.3, "exclude": false, "op_names": ["fc1"]}])"), (Sparsities{{"fc1", .3}}));
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.3, "exclude": 0, "op_names": ["fc1"]}])"), (Sparsities{{"fc1", .3}}));
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.3, "op_types": ["Linear"]}, {"exclude": 1, "op_names": ["fc1"]}])"),
            (Sparsities{{"fc2", .3}}));
}

TEST(ConfigList, AllSelectorsOfAnEntryMustHold) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.3, "op_types": ["Conv2d"], "op_names": ["conv1", "fc1"]}])"),
            (Sparsities{{"conv1", .3}}));
}

TEST(ConfigList, PartialNamesAndSingleNames) {
  EXPECT_EQ(sparsities(R"([{"sparsity_per_layer": 0.3, "op_partial_names": ["conv"]}])"),
            (Sparsities{{"conv1", .3}, {"conv2", .3}}));
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.3, "op_name": "emb"}])"), (Sparsities{{"emb", .3}}));
}

TEST(ConfigList, AgpKeysOfNni1) {
  const auto selected = select(R"([{"initial_sparsity": 0.1, "final_sparsity": 0.5, "start_epoch": 0, "end_epoch": 3,
                                    "frequency": 1, "op_name": "conv1"}])",
                               EntryKeys::Scheduled);
  ASSERT_TRUE(selected) << selected.error().message;
  EXPECT_EQ(selected->layers.front().target, (SparsityTarget{0.5, 0.1, 0, 3, 1}));
}

TEST(ConfigListConformance, D05PruneIterationsMustBeEqual) {
  const auto differ = select(R"([{"sparsity": 0.8, "op_types": ["Conv2d"], "prune_iterations": 2},
                                 {"sparsity": 0.8, "op_types": ["Linear"], "prune_iterations": 3}])",
                             EntryKeys::Lottery);
  ASSERT_FALSE(differ);
  EXPECT_THAT(differ.error().message, HasSubstr("must be equal"));
  const auto same = select(R"([{"sparsity": 0.8, "op_types": ["Conv2d"], "prune_iterations": 4},
                               {"sparsity": 0.5, "op_types": ["Linear"]}])",
                           EntryKeys::Lottery);
  ASSERT_TRUE(same) << same.error().message;
  for (const auto& [layer, target] : same->layers) EXPECT_EQ(target.prune_iterations, 4);
}

TEST(ConfigListConformance, D07TotalSparsityIsSharedByTheLayersOfItsEntry) {
  const auto selected = select(R"([{"sparsity": 0.2, "op_types": ["Linear"]},
      {"total_sparsity": 0.5, "op_types": ["Conv2d"], "max_sparsity_per_layer": 0.9}])");
  ASSERT_TRUE(selected) << selected.error().message;
  ASSERT_EQ(selected->layers.size(), 4);
  for (const auto& [layer, target] : selected->layers) {
    const bool shared = layer.type == "Conv2d";
    EXPECT_EQ(target.pool, shared ? std::optional<std::size_t>(1) : std::nullopt) << layer.name;
    EXPECT_EQ(target.sparsity, shared ? 0.5 : 0.2) << layer.name;
    EXPECT_EQ(target.max_sparsity, shared ? 0.9 : 0.99) << layer.name;
  }
}

TEST(ConfigList, TheMostOfALayerCanBeSaidByName) {
  const auto selected = select(R"([{"total_sparsity": 0.5, "op_types": ["Conv2d"],
                                    "max_sparsity_per_layer": {"conv2": 0.7, "conv3": 0.8}}])");
  ASSERT_TRUE(selected) << selected.error().message;
  ASSERT_EQ(selected->layers.size(), 2);
  EXPECT_EQ(selected->layers[0].target.max_sparsity, 0.99);
  EXPECT_EQ(selected->layers[1].target.max_sparsity, 0.7);
  ASSERT_EQ(selected->warnings.size(), 1);
  EXPECT_THAT(selected->warnings.front(), HasSubstr("\"conv3\""));
}

TEST(ConfigList, RhoAndRowAreOneKey) {
  for (const char* json : {R"([{"sparsity": 0.5, "op_name": "fc1", "rho": 0.01}])",
                           R"([{"sparsity": 0.5, "op_name": "fc1", "row": 0.01}])"}) {
    const auto selected = select(json, EntryKeys::Admm);
    ASSERT_TRUE(selected) << selected.error().message;
    EXPECT_EQ(selected->layers.front().target.rho, 0.01);
  }
  EXPECT_FALSE(select(R"([{"sparsity": 0.5, "op_name": "fc1", "rho": 0}])", EntryKeys::Admm));
  EXPECT_FALSE(select(R"([{"sparsity": 0.5, "op_name": "fc1", "rho": 0.1, "row": 0.1}])", EntryKeys::Admm));
}

TEST(ConfigList, WhatMatchesNothingIsWarnedOf) {
  const auto selected = select(R"([{"sparsity": 0.5, "op_names": ["fc1", "con1"]},
                                   {"sparsity": 0.5, "op_partial_names": ["xyz"]},
                                   {"exclude": true, "op_types": ["LSTM"]},
                                   {"exclude": true, "op_types": ["Conv2d"], "op_names": ["fc2"]}])");
  ASSERT_TRUE(selected) << selected.error().message;
  ASSERT_EQ(selected->layers.size(), 1);
  ASSERT_EQ(selected->warnings.size(), 4);
  EXPECT_THAT(selected->warnings[0],
              ::testing::AllOf(HasSubstr("config_list[0]"), HasSubstr("\"con1\""), HasSubstr("nearest: conv1")));
  EXPECT_THAT(selected->warnings[1], HasSubstr("\"xyz\""));
  EXPECT_THAT(selected->warnings[2], HasSubstr("LSTM"));
  EXPECT_THAT(selected->warnings[3], ::testing::AllOf(HasSubstr("config_list[3]"), HasSubstr("Conv2d")));
}

struct BadCase {
  const char* json;
  std::vector<const char*> parts;  ///< of the message
};

TEST(ConfigListConformance, D03BadEntriesAreNamed) {
  const std::vector<BadCase> cases{
      {R"([{"sparsity": "0.2", "op_types": ["default"]}])", {"config_list[0]", "sparsity", "\"0.2\"", "0 <= s < 1"}},
      {R"([{"sparsity": 0.5, "op_name": "fc1"}, {"sparsity": 1.5, "op_types": ["default"]}])",
       {"config_list[1]", "sparsity", "1.5", "0 <= s < 1"}},
      {R"([{"sparsity": 1, "op_types": ["default"]}])", {"config_list[0]", "0 <= s < 1"}},
      {R"([{"sparsity": -0.1, "op_types": ["default"]}])", {"-0.1"}},
      {R"([{"sparsity": 0.5}])", {"config_list[0]", "no selector"}},
      {R"([{"op_types": ["default"]}])", {"config_list[0]", "sparsity is missing"}},
      {R"([{"sparsity": 0.5, "op_types": "default"}])", {"op_types", "\"default\"", "list"}},
      {R"([{"sparsity": 0.5, "op_types": []}])", {"op_types", "list"}},
      {R"([{"sparsity": 0.5, "op_names": [3]}])", {"op_names", "[3]"}},
      {R"([{"sparsity": 0.5, "op_types": ["default"], "foo": 1}])", {"foo", "known keys", "op_partial_names"}},
      {R"([{"sparsity": 0.5, "sparsity_per_layer": 0.5, "op_types": ["default"]}])", {"say the same thing"}},
      {R"([{"final_sparsity": 0.5, "op_types": ["default"]}])", {"final_sparsity", "agp"}},
      {R"([{"sparsity": 0.5, "op_types": ["default"], "exclude": 2}])", {"exclude", "true or false"}},
      {R"([{"sparsity": 0.5, "op_types": ["default"], "exclude": "true"}])", {"exclude", "true or false"}},
      {R"([{"sparsity": 0.5, "op_names": ["con1"]}])", {"selects no layer", "config_list[0]", "\"con1\"", "conv1"}},
      {R"([{"sparsity": 0.5, "op_partial_names": ["xyz"]}])", {"selects no layer", "\"xyz\"", "conv1"}},
      {R"([{"total_sparsity": 0.5, "sparsity": 0.5, "op_types": ["default"]}])", {"say the same thing"}},
      {R"([{"total_sparsity": 1, "op_types": ["default"]}])", {"total_sparsity", "0 <= s < 1"}},
      {R"([{"sparsity": 0.5, "max_sparsity_per_layer": 0.9, "op_types": ["default"]}])", {"total_sparsity", "missing"}},
      {R"([{"total_sparsity": 0.5, "max_sparsity_per_layer": 0, "op_types": ["default"]}])", {"0 < m <= 1"}},
      {R"([{"total_sparsity": 0.5, "max_sparsity_per_layer": {"conv1": 2}, "op_types": ["default"]}])",
       {"max_sparsity_per_layer", "0 < m <= 1"}},
      {R"([{"sparsity": 0.5, "op_types": ["default"], "prune_iterations": 2}])", {"prune_iterations", "lottery"}},
      {R"([{"sparsity": 0.5, "op_types": ["default"], "row": 0.1}])", {"row", "admm"}},
      {R"([{"sparsity": 0.5, "op_types": ["default"], "quant_bits": 8}])", {"quant_bits", "quantizers"}},
      {R"([{"sparsity": 0.5, "op_types": ["Conv3d"]}])", {"selects no layer", "conv1 (Conv2d)"}},
      {R"([3])", {"config_list[0] is 3", "object"}},
      {R"({"sparsity": 0.5})", {"expected a list"}},
  };
  for (const BadCase& bad : cases) {
    const auto selected = select(bad.json);
    ASSERT_FALSE(selected) << bad.json;
    for (const char* part : bad.parts) EXPECT_THAT(selected.error().message, HasSubstr(part)) << bad.json;
  }
}

TEST(ConfigList, BadScheduleKeysAreNamed) {
  const std::vector<BadCase> cases{
      {R"([{"final_sparsity": 0.5, "op_name": "fc1", "frequency": 0}])", {"frequency", "from 1"}},
      {R"([{"final_sparsity": 0.5, "op_name": "fc1", "end_epoch": 1.5}])", {"end_epoch", "1.5", "integer"}},
      {R"([{"final_sparsity": 0.5, "op_name": "fc1", "end_epoch": 99999999999999999999}])", {"end_epoch"}},
      {R"([{"final_sparsity": 0.5, "op_name": "fc1", "initial_sparsity": 0.6}])", {"initial_sparsity 0.6", "0.5"}},
  };
  for (const BadCase& bad : cases) {
    const auto selected = select(bad.json, EntryKeys::Scheduled);
    ASSERT_FALSE(selected) << bad.json;
    for (const char* part : bad.parts) EXPECT_THAT(selected.error().message, HasSubstr(part)) << bad.json;
  }
}

}  // namespace
}  // namespace lathe::compression

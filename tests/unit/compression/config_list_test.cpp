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

Result<std::vector<SelectedLayer>> select(const char* json, EntryKeys keys = EntryKeys::OneShot) {
  const auto entries = parse_config_list(Json::parse(json), keys);
  if (!entries) return tl::unexpected(entries.error());
  return select_layers(*entries, layers(), default_op_types());
}

std::map<std::string, double> sparsities(const char* json, EntryKeys keys = EntryKeys::OneShot) {
  const auto selected = select(json, keys);
  EXPECT_TRUE(selected) << (selected ? "" : selected.error().message);
  std::map<std::string, double> found;
  if (!selected) return found;
  for (const auto& [layer, target] : *selected) found[layer.name] = target.sparsity;
  return found;
}

using Sparsities = std::map<std::string, double>;

TEST(ConfigList, DefaultStandsForTheDefaultTypes) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.8, "op_types": ["default"]}])"),
            (Sparsities{{"conv1", .8}, {"conv2", .8}, {"fc1", .8}, {"fc2", .8}, {"prelu", .8}, {"emb", .8}}));
}

TEST(ConfigList, LaterEntriesReplaceEarlierOnes) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.8, "op_types": ["default"]}, {"sparsity": 0.6, "op_names": ["conv2"]},
                           {"exclude": true, "op_names": ["fc2"]}])"),
            (Sparsities{{"conv1", .8}, {"conv2", .6}, {"fc1", .8}, {"prelu", .8}, {"emb", .8}}));
}

TEST(ConfigList, ALaterMatchUndoesAnExclude) {
  EXPECT_EQ(sparsities(R"([{"exclude": true, "op_names": ["fc1"]}, {"sparsity": 0.3, "op_types": ["Linear"]}])"),
            (Sparsities{{"fc1", .3}, {"fc2", .3}}));
}

TEST(ConfigList, ExcludeFalseExcludesNothing) {
  EXPECT_EQ(sparsities(R"([{"sparsity": 0.3, "exclude": false, "op_names": ["fc1"]}])"), (Sparsities{{"fc1", .3}}));
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
  EXPECT_EQ(selected->front().target, (SparsityTarget{0.5, 0.1, 0, 3, 1}));
}

struct BadCase {
  const char* json;
  std::vector<const char*> parts;  ///< of the message
};

TEST(ConfigList, BadEntriesAreNamed) {
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
      {R"([{"sparsity": 0.5, "op_types": ["default"], "exclude": 1}])", {"exclude", "true or false"}},
      {R"([{"sparsity": 0.5, "op_names": ["con1"]}])", {"config_list[0]", "\"con1\"", "conv1"}},
      {R"([{"sparsity": 0.5, "op_partial_names": ["xyz"]}])", {"\"xyz\"", "conv1"}},
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

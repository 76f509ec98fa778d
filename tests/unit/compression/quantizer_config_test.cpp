#include <lathe/compression/quantizer_rules.hpp>

#include <map>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// The net of the conformance cases.
std::vector<Layer> modules() {
  const at::Tensor weight = at::ones({2, 2});
  return {{"conv1", "Conv2d", weight, {}},  {"conv2", "Conv2d", weight, {}},
          {"fc1", "Linear", weight, {}},    {"fc2", "Linear", weight, {}},
          {"relu", "ReLU", {}, {}},         {"prelu", "PReLU", weight, {}},
          {"emb", "Embedding", weight, {}}, {"bn", "BatchNorm2d", weight, weight}};
}

Result<QuantizedSelection> select(std::string_view quantizer, const std::string& json) {
  const auto entries = parse_config_list(Json::parse(json), EntryKeys::Quantizer);
  if (!entries) return tl::unexpected(entries.error());
  return select_quantized(*entries, modules(), *find_quantizer_rules(quantizer));
}

struct BadCase {
  const char* quantizer;
  const char* json;
  std::vector<const char*> parts;  ///< of the message
};

void expect_refused(const std::vector<BadCase>& cases) {
  for (const BadCase& bad : cases) {
    const auto selected = select(bad.quantizer, bad.json);
    ASSERT_FALSE(selected) << bad.json;
    for (const char* part : bad.parts) EXPECT_THAT(selected.error().message, HasSubstr(part)) << bad.json;
  }
}

TEST(ConfigListConformance, D06WhatAQuantizerCannotDoIsRefused) {
  expect_refused({
      {"qat",
       R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["default"]}])",
       {"config_list[0]", "op_types", "default", "Conv2d", "ReLU6"}},
      {"naive",
       R"([{"quant_types": ["weight"], "quant_bits": 4, "op_types": ["Linear"]}])",
       {"quant_bits of weight is 4", "naive 8"}},
      {"naive",
       R"([{"quant_types": ["output"], "quant_bits": 8, "op_types": ["Linear"]}])",
       {"quant_types holds output", "no other than weight"}},
      {"qat",
       R"([{"quant_types": ["output"], "quant_bits": 8, "op_types": ["ReLU"], "quant_start_step": -1}])",
       {"quant_start_step is -1"}},
  });
}

TEST(QuantizerConfig, RulesOfEachQuantizer) {
  expect_refused({
      {"qat", R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["Embedding"]}])", {"Embedding", "for qat"}},
      {"qat", R"([{"quant_types": ["weight"], "op_types": ["Conv2d"]}])", {"quant_bits is missing"}},
      {"dorefa", R"([{"quant_types": ["input"], "quant_bits": 8, "op_types": ["Conv2d"]}])", {"input", "weight"}},
      {"dorefa",
       R"([{"quant_types": ["weight"], "quant_bits": 4, "op_types": ["Conv2d"], "quant_dtype": "int"}])",
       {"quant_dtype", "key of qat", "dorefa"}},
      {"bnn", R"([{"quant_types": ["input"], "op_types": ["Conv2d"]}])", {"input", "weight, output"}},
      {"bnn", R"([{"quant_types": ["weight"], "quant_bits": 2, "op_types": ["Conv2d"]}])", {"is 2", "bnn 1"}},
      {"observer", R"([{"quant_types": ["weight"], "quant_bits": 4, "op_types": ["Conv2d"]}])", {"observer 8"}},
      {"lsq", R"([{"quant_types": ["weight"], "op_types": ["Conv2d"]}])", {"quant_bits is missing"}},
      {"lsq", R"([{"quant_types": ["weight"], "quant_bits": 1, "op_types": ["Conv2d"]}])", {"is 1", "2 to 31"}},
  });
  EXPECT_EQ(find_quantizer_rules("l1"), nullptr);
}

TEST(QuantizerConfig, BadSettingsAreNamed) {
  expect_refused({
      {"qat", R"([{"quant_types": ["weights"], "quant_bits": 8, "op_types": ["Conv2d"]}])", {"quant_types", "weights"}},
      {"qat", R"([{"quant_types": [], "quant_bits": 8, "op_types": ["Conv2d"]}])", {"quant_types", "[]"}},
      {"qat", R"([{"quant_bits": 8, "op_types": ["Conv2d"]}])", {"quant_types is missing"}},
      {"qat", R"([{"quant_types": ["weight"], "quant_bits": 33, "op_types": ["Conv2d"]}])", {"33", "0 < b < 32"}},
      {"qat", R"([{"quant_types": ["weight"], "quant_bits": 0, "op_types": ["Conv2d"]}])", {"0 < b < 32"}},
      {"qat", R"([{"quant_types": ["weight"], "quant_bits": 8.5, "op_types": ["Conv2d"]}])", {"8.5"}},
      {"qat",
       R"([{"quant_types": ["weight", "output"], "quant_bits": {"weight": 8}, "op_types": ["Conv2d"]}])",
       {"quant_bits", "output is missing"}},
      {"qat", R"([{"quant_types": ["weight"], "quant_bits": {"bias": 8}, "op_types": ["Conv2d"]}])", {"bias"}},
      {"qat",
       R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["Conv2d"], "quant_dtype": "float"}])",
       {"quant_dtype is \"float\"", "int or uint"}},
      {"qat",
       R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["Conv2d"], "quant_scheme": "affine"}])",
       {"quant_scheme", "per_tensor_affine"}},
      {"qat",
       R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["Conv2d"], "sparsity": 0.5}])",
       {"sparsity", "key of pruners"}},
      {"qat", R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["LSTM"]}])", {"LSTM"}},
      {"dorefa", R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["LSTM"]}])", {"selects no layer"}},
      {"dorefa",
       R"([{"quant_types": ["weight"], "quant_bits": 8, "op_names": ["relu"]}])",
       {"selects no layer", "relu (ReLU) has no weight"}},
  });
}

TEST(QuantizerConfig, SettingsGoToTheirTypes) {
  const auto selected = select("qat", R"([{"quant_types": ["weight", "input", "output"], "op_types": ["Conv2d", "ReLU"],
      "quant_bits": {"weight": 4, "input": 6, "output": 8}, "quant_dtype": {"weight": "int"},
      "quant_scheme": {"weight": "per_channel_symmetric", "output": "per_tensor_symmetric"}, "quant_start_step": 7}])");
  ASSERT_TRUE(selected) << selected.error().message;
  ASSERT_EQ(selected->layers.size(), 3);
  QuantTarget target;
  target.weight = QuantSpec{4, QuantDtype::Int, QuantScheme::PerChannelSymmetric};
  target.input = QuantSpec{6, QuantDtype::Uint, QuantScheme::PerTensorAffine};
  target.output = QuantSpec{8, QuantDtype::Uint, QuantScheme::PerTensorSymmetric};
  target.start_step = 7;
  EXPECT_EQ(selected->layers[0].layer.name, "conv1");
  EXPECT_EQ(selected->layers[0].target, target);
  EXPECT_EQ(selected->layers[1].target, target);
  target.weight.reset();
  EXPECT_EQ(selected->layers[2].layer.name, "relu");
  EXPECT_EQ(selected->layers[2].target, target);
  ASSERT_EQ(selected->warnings.size(), 1);
  EXPECT_THAT(selected->warnings.front(), AllOf(HasSubstr("relu"), HasSubstr("no weight")));
}

TEST(QuantizerConfig, OneSettingIsForAllTypesAndLaterEntriesWin) {
  const auto selected = select("dorefa", R"([{"quant_types": ["weight"], "quant_bits": 8, "op_types": ["default"]},
      {"quant_types": ["weight"], "quant_bits": 2, "op_names": ["fc1"]}, {"exclude": true, "op_types": ["Embedding"]}])");
  ASSERT_TRUE(selected) << selected.error().message;
  std::map<std::string, int> bits;
  for (const auto& [layer, target] : selected->layers) bits[layer.name] = target.weight->bits;
  EXPECT_EQ(bits, (std::map<std::string, int>{{"conv1", 8}, {"conv2", 8}, {"fc1", 2}, {"fc2", 8}, {"prelu", 8}}));
}

TEST(QuantizerConfig, BitsThatGoWithoutSaying) {
  for (const auto& [quantizer, bits] : std::map<std::string, int>{{"naive", 8}, {"observer", 8}, {"bnn", 1}}) {
    const auto selected = select(quantizer, R"([{"quant_types": ["weight"], "op_types": ["Linear"]}])");
    ASSERT_TRUE(selected) << selected.error().message;
    EXPECT_EQ(selected->layers.front().target.weight->bits, bits) << quantizer;
  }
}

}  // namespace
}  // namespace lathe::compression

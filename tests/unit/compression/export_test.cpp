// The files of export_model, read back.
#include <lathe/compression/export.hpp>

#include <fstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <lathe/compression/onnx_import.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/pruning.hpp>

#include "models.hpp"
#include "quantizing.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

using test_models::Builder;
using test_models::values_of;

class Export : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  [[nodiscard]] c10::IValue read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return torch::jit::pickle_load(std::vector<char>(std::istreambuf_iterator<char>(in), {}));
  }

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }

 private:
  test::TemporaryFolder folder_;
};

/// fc with weight [[.1, -.5], [.7, .2]] and bias [1, 2].
torch::jit::Module small_net() {
  Builder build(0);
  auto fc = build.linear(2, 2);
  fc.attr("weight").toTensor().detach().copy_(at::tensor({0.1F, -0.5F, 0.7F, 0.2F}).view({2, 2}));
  fc.attr("bias").toTensor().detach().copy_(at::tensor({1.0F, 2.0F}));
  return build.net("Net", {{"fc", fc}}, "def forward(self, x):\n  return self.fc.forward(x)\n");
}

class ExportConformance : public Export {};

TEST_F(ExportConformance, D56LevelHalf) {
  const auto model = small_net();
  const Masks masks{{"fc", Pruner::create(PruningMetric::Level)->mask(layers_of(model)[0], 0.5, nullptr)}};
  ASSERT_TRUE(export_model(model, masks, {.model_path = path("model.pth"), .mask_path = path("mask.pth")}));
  const auto state = read("model.pth").toGenericDict();
  EXPECT_EQ(values_of(state.at("fc.weight").toTensor()), (std::vector<float>{0, -0.5F, 0.7F, 0}));
  EXPECT_EQ(values_of(state.at("fc.bias").toTensor()), (std::vector<float>{1, 2}));
  const auto mask = read("mask.pth").toGenericDict().at("fc").toGenericDict();
  EXPECT_EQ(values_of(mask.at("weight").toTensor()), (std::vector<float>{0, 1, 1, 0}));
  EXPECT_EQ(values_of(mask.at("bias").toTensor()), (std::vector<float>{1, 1}));
  EXPECT_EQ(values_of(model.attr("fc").toModule().attr("weight").toTensor())[0], 0.1F) << "the model is not changed";
}

TEST_F(ExportConformance, D57QatKeepsFloatWeightsAndCalibrates) {
  const auto model = test_models::linear_net(at::tensor({0.5F, -1.0F, 0.25F}).view({1, 3}));
  const QuantSpec byte{8, QuantDtype::Uint, QuantScheme::PerTensorAffine};
  const auto net =
      test_models::quantize(QuantizerKind::Qat, model,
                            {test_models::quantized(model, "fc", {.weight = byte, .input = byte, .output = byte})});
  (void)net.run(at::tensor({1.0F, -1.0F, 2.0F}).view({1, 3}));
  ASSERT_TRUE(net.quantization->finish());
  const auto calibration = export_model(model, *net.quantization,
                                        {.model_path = path("model.pth"), .calibration_path = path("calibration.pth")});
  ASSERT_TRUE(calibration);
  const auto fc = read("calibration.pth").toGenericDict().at("fc").toGenericDict();
  EXPECT_NEAR(fc.at("weight_scale").toDouble(), 0.0058824, 1e-7);
  EXPECT_EQ(fc.at("weight_zero_point").toInt(), 170);
  EXPECT_EQ(fc.at("input_bits").toInt(), 8);
  EXPECT_EQ(fc.at("tracked_min_input").toDouble(), -1);
  EXPECT_EQ(fc.at("tracked_max_input").toDouble(), 2);
  EXPECT_NEAR(fc.at("tracked_max_output").toDouble(), 1.9941176, 1e-6);
  EXPECT_EQ(values_of(read("model.pth").toGenericDict().at("fc.weight").toTensor()),
            (std::vector<float>{0.5F, -1, 0.25F}));
}

TEST_F(ExportConformance, D58DoReFaFourBits) {
  const auto model = test_models::linear_net(at::tensor({0.5F, -1.0F, 0.25F}).view({1, 3}));
  QuantSpec four;
  four.bits = 4;
  const auto net =
      test_models::quantize(QuantizerKind::DoReFa, model, {test_models::quantized(model, "fc", {.weight = four})});
  ASSERT_TRUE(net.quantization->finish());
  const auto calibration = export_model(model, *net.quantization, {.model_path = path("model.pth")});
  ASSERT_TRUE(calibration);
  EXPECT_EQ(calibration->dump(), R"({"fc":{"weight_bits":4}})");
  const auto weight = values_of(read("model.pth").toGenericDict().at("fc.weight").toTensor());
  EXPECT_NEAR(weight[0], 0.6, 1e-6);
  EXPECT_NEAR(weight[1], -1, 1e-6);
  EXPECT_NEAR(weight[2], 0.3333334, 1e-6);
}

TEST_F(Export, StateHasBuffersInOrder) {
  const auto model = test_models::residual_net();
  ASSERT_TRUE(save_state_dict(model, path("model.pth")));
  std::vector<std::string> names;
  for (const auto& entry : read("model.pth").toGenericDict()) names.push_back(entry.key().toStringRef());
  EXPECT_EQ(names[0], "stem.weight");
  EXPECT_NE(std::find(names.begin(), names.end(), "block.bn1.running_var"), names.end());
}

TEST_F(Export, CalibrationAsJson) {
  ASSERT_TRUE(save_calibration({{"fc", {{"weight_bits", 8}}}}, path("calibration.json")));
  std::ifstream in(path("calibration.json"));
  EXPECT_EQ(nlohmann::json::parse(in), (nlohmann::json{{"fc", {{"weight_bits", 8}}}}));
}

TEST_F(Export, OnnxHasTheMaskedModel) {
  const auto model = small_net();
  const Masks masks{{"fc", {at::zeros({2, 2}).fill_diagonal_(1), at::ones({2})}}};
  ExportPaths paths{.model_path = path("model.pth"), .onnx_path = path("model.onnx"), .input_shape = Shape{1, 2}};
  ASSERT_TRUE(export_model(model, masks, paths));
  const auto imported = import_onnx(path("model.onnx"));
  ASSERT_TRUE(imported) << imported.error().message;
  const at::Tensor input = at::tensor({1.F, 2.F, 3.F, 4.F}).view({2, 2});
  torch::jit::Module masked = copy_model(model);
  apply_masks(masked, masks);
  EXPECT_TRUE(
      at::allclose(torch::jit::Module(*imported).forward({input}).toTensor(), masked.forward({input}).toTensor()));
  paths.input_shape.reset();
  EXPECT_EQ(export_model(model, masks, paths).error().message,
            path("model.onnx").string() + ": onnx_path needs an input_shape, e.g. [1, 1, 28, 28]");
}

TEST_F(Export, ErrorsLeaveNothingBehind) {
  const auto model = small_net();
  EXPECT_FALSE(export_model(model, {{"fd", {at::ones({2, 2}), {}}}}, {.model_path = path("model.pth")}));
  EXPECT_FALSE(export_model(model, {{"fc", {at::ones({2, 3}), {}}}}, {.model_path = path("model.pth")}));
  EXPECT_FALSE(export_model(model, Masks{}, {.model_path = path("none/model.pth")}));
  EXPECT_EQ(files(), std::vector<std::string>{});
}

}  // namespace
}  // namespace lathe::compression

// ONNX files as TorchScript models: what we write comes back, what others write is understood.
#include <lathe/compression/onnx_import.hpp>

#include <map>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/onnx_export.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/speedup.hpp>

#include "models.hpp"
#include "onnx/data_flow.hpp"
#include "onnx_import_fixture.hpp"
#include "onnx_models.hpp"
#include "quantizing.hpp"

namespace lathe::compression {
namespace {

namespace fs = std::filesystem;
using test_models::OnnxFile;
using test_models::OnnxModel;
using test_models::random_input;
using test_models::set;
using testing::HasSubstr;

class OnnxImport : public test_models::OnnxImporting {
 protected:
  [[nodiscard]] static std::map<std::string, std::string> types_of(const torch::jit::Module& model) {
    std::map<std::string, std::string> types;
    for (const Layer& layer : layers_of(model)) types[layer.name] = layer.type;
    return types;
  }
};

void expect_close(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  if (found.numel() == 0) return;
  const double largest = std::max(1.0, expected.to(at::kDouble).nan_to_num(0, 0, 0).abs().max().item<double>());
  const auto apart = (found.to(at::kDouble) - expected.to(at::kDouble)).nan_to_num(0, 0, 0).abs().max().item<double>();
  EXPECT_LE(apart / largest, 1e-4);
}

class OnnxRoundTrip : public OnnxImport, public testing::WithParamInterface<int> {};

TEST_P(OnnxRoundTrip, WhatIsWrittenComesBackWithTheSameOutputs) {
  const c10::NoGradGuard no_grad;
  for (const auto* models : {&test_models::onnx_networks(), &test_models::onnx_operators()}) {
    for (const OnnxModel& model : *models) {
      SCOPED_TRACE(model.name);
      auto original = model.make();
      original.eval();
      const OnnxExportOptions options{.opset = GetParam(), .dynamic_batch = model.dynamic_batch};
      ASSERT_TRUE(export_onnx(original, onnx_input(model, 1, 0), file(), options));
      auto back = import_onnx(file());
      ASSERT_TRUE(back) << back.error().message;
      const at::Tensor input = onnx_input(model, 3, 1);
      const auto expected = onnx_out::all_tensors({original.forward({input.clone()})});
      std::vector<at::Tensor> found;
      ASSERT_NO_THROW(found = onnx_out::all_tensors({back->forward({input})}));
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) expect_close(found[i], expected[i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Opsets, OnnxRoundTrip, testing::Values(13, 17));

TEST_F(OnnxImport, LayersKeepTheirNamesAndTypes) {
  ASSERT_TRUE(export_onnx(test_models::resnet(), at::zeros({1, 3, 32, 32}), file()));
  const auto back = import_onnx(file());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(types_of(*back), types_of(test_models::resnet()));
}

TEST_F(OnnxImport, NumberedNamesOfSequentialsAreKept) {
  OnnxFile model;
  model.input("x", {-1, 3, 8, 8}).output("y", {-1, 4, 6, 6});
  model.initializer("features.0.weight", random_input({4, 3, 3, 3}));
  model.node("Conv", {"x", "features.0.weight"}, {"y"});
  const auto module = imported(model);
  EXPECT_THAT(types_of(module), testing::Contains(testing::Pair("features.0", "Conv2d")));
  const auto copy = copy_model(module);  // the name goes through a file
  EXPECT_THAT(types_of(copy), testing::Contains(testing::Pair("features.0", "Conv2d")));
}

TEST_F(OnnxImport, WhatIsImportedIsPrunedAndSpedUp) {
  const c10::NoGradGuard no_grad;
  ASSERT_TRUE(export_onnx(test_models::lenet(), at::zeros({1, 1, 28, 28}), file()));
  auto model = import_onnx(file()).value();
  const auto pruner = Pruner::create(PruningMetric::L1);
  Masks masks;
  for (const Layer& layer : layers_of(model))
    if (layer.name != "fc2") masks[layer.name] = pruner->mask(layer, 0.5, nullptr);
  const auto faster = speed_up(model, masks, random_input({2, 1, 28, 28}));
  ASSERT_TRUE(faster) << faster.error().message;
}

TEST_F(OnnxImport, ParametersTrainAndBatchNormHasATrainingMode) {
  ASSERT_TRUE(export_onnx(test_models::residual_net(), at::zeros({1, 3, 16, 16}), file()));
  auto model = import_onnx(file()).value();
  EXPECT_FALSE(model.is_training());
  model.train();
  const at::Tensor mean = model.attr("stem_bn").toModule().attr("running_mean").toTensor().clone();
  model.forward({random_input({4, 3, 16, 16})}).toTensor().sum().backward();
  for (const at::Tensor& parameter : model.parameters()) EXPECT_TRUE(parameter.grad().defined());
  EXPECT_FALSE(model.attr("stem_bn").toModule().attr("running_mean").toTensor().equal(mean));
}

TEST_F(OnnxImport, KerasModelsWithTransposesAroundConvolutions) {
  OnnxFile model(9);
  model.input("x", {-1, 8, 8, 3}).output("y", {-1, 8, 8, 4});
  const at::Tensor weight = random_input({4, 3, 3, 3}, 1);
  model.initializer("model/conv2d/Conv2D/ReadVariableOp:0", weight);
  set(model.node("Transpose", {"x"}, {"nchw"}), "perm", std::vector<std::int64_t>{0, 3, 1, 2});
  set(model.node("Conv", {"nchw", "model/conv2d/Conv2D/ReadVariableOp:0"}, {"c"}), "auto_pad", "SAME_UPPER");
  set(model.node("Transpose", {"c"}, {"y"}), "perm", std::vector<std::int64_t>{0, 2, 3, 1});
  EXPECT_THAT(types_of(imported(model)), testing::Contains(testing::Pair("model.conv2d", "Conv2d")));
  const at::Tensor x = random_input({2, 8, 8, 3});
  expect_close(run(model, x), at::conv2d(x.permute({0, 3, 1, 2}), weight, {}, 1, 1).permute({0, 2, 3, 1}));
}

TEST_F(OnnxImport, AProductAndASumAreOneLinearLayer) {
  OnnxFile model;
  model.input("x", {-1, 6}).output("y", {-1, 4});
  const at::Tensor kernel = random_input({6, 4}, 1);
  const at::Tensor bias = random_input({4}, 2);
  model.initializer("dense/kernel", kernel);
  model.initializer("dense/bias", bias);
  model.node("MatMul", {"x", "dense/kernel"}, {"p"});
  model.node("Add", {"p", "dense/bias"}, {"y"});
  const auto module = imported(model);
  ASSERT_EQ(layers_of(module).size(), 1U);
  EXPECT_EQ(layers_of(module)[0].type, "Linear");
  EXPECT_TRUE(layers_of(module)[0].bias.equal(bias));
  const at::Tensor x = random_input({3, 6});
  expect_close(run(model, x), at::addmm(bias, x, kernel));
}

TEST_F(OnnxImport, ShapesThatAreComputedStayDynamic) {
  OnnxFile model;
  model.input("x", {-1, 2, 6}).output("y", {-1, 12});
  model.initializer("zero", at::scalar_tensor(0, at::kLong));
  model.initializer("rest", at::tensor({-1}, at::kLong));
  model.initializer("axes", at::tensor({0}, at::kLong));
  model.node("Shape", {"x"}, {"shape"});
  model.node("Gather", {"shape", "zero"}, {"n"});
  model.node("Unsqueeze", {"n", "axes"}, {"n1"});
  set(model.node("Concat", {"n1", "rest"}, {"target"}), "axis", 0);
  model.node("Reshape", {"x", "target"}, {"y"});
  const at::Tensor x = random_input({5, 2, 6});
  expect_close(run(model, x), x.reshape({5, 12}));
}

TEST_F(OnnxImport, OlderOpsetsHaveTheirSettingsInAttributes) {
  OnnxFile model(9);
  model.input("x", {-1, 2, 3, 4}).output("y", {-1, 2, 3});
  auto& clip = model.node("Clip", {"x"}, {"c"});
  test_models::set_real(test_models::set_real(clip, "min", -0.5F), "max", 0.5F);
  set(model.node("Softmax", {"c"}, {"s"}), "axis", 1);  // over all that is behind axis 1
  auto& slice = model.node("Slice", {"s"}, {"l"});
  set(set(set(slice, "starts", std::vector<std::int64_t>{1}), "ends", std::vector<std::int64_t>{2}), "axes",
      std::vector<std::int64_t>{3});
  set(model.node("Squeeze", {"l"}, {"y"}), "axes", std::vector<std::int64_t>{3});
  const at::Tensor x = random_input({2, 2, 3, 4});
  const at::Tensor soft = at::softmax(x.clamp(-0.5, 0.5).flatten(1), 1).reshape({2, 2, 3, 4});
  expect_close(run(model, x), soft.slice(3, 1, 2).squeeze(3));
}

TEST_F(OnnxImport, UnevenPaddingOfConvolutionsAndPools) {
  OnnxFile model;
  model.input("x", {-1, 3, 7, 7}).output("y", {-1, 4, 4, 4});
  const at::Tensor weight = random_input({4, 3, 3, 3}, 1);
  model.initializer("conv.weight", weight);
  auto& conv = model.node("Conv", {"x", "conv.weight"}, {"c"});
  set(set(conv, "pads", std::vector<std::int64_t>{0, 0, 2, 2}), "strides", std::vector<std::int64_t>{1, 1});
  auto& pool = model.node("AveragePool", {"c"}, {"y"});
  set(set(set(pool, "kernel_shape", std::vector<std::int64_t>{2, 2}), "strides", std::vector<std::int64_t>{2, 2}),
      "pads", std::vector<std::int64_t>{0, 0, 1, 1});
  const at::Tensor x = random_input({2, 3, 7, 7});
  const at::Tensor c = at::conv2d(at::constant_pad_nd(x, {0, 2, 0, 2}), weight);
  // The windows at the far edges hold data in a half or a quarter only, and count that.
  expect_close(run(model, x), at::avg_pool2d(c, {2, 2}, {2, 2}, {0, 0}, true, false));
}

TEST_F(OnnxImport, SharedWeightsAreOneModule) {
  OnnxFile model;
  model.input("x", {-1, 4}).output("y", {-1, 4});
  model.initializer("fc.weight", random_input({4, 4}));
  set(model.node("Gemm", {"x", "fc.weight"}, {"a"}), "transB", 1);
  set(model.node("Gemm", {"a", "fc.weight"}, {"y"}), "transB", 1);
  EXPECT_EQ(layers_of(imported(model)).size(), 1U);
}

TEST_F(OnnxImport, ATableOfRowsIsAnEmbedding) {
  OnnxFile model;
  model.input("ids", {-1, 5}, onnx::TensorProto::INT64).output("y", {-1, 5, 8});
  model.initializer("tokens.weight", random_input({10, 8}));
  model.node("Gather", {"tokens.weight", "ids"}, {"y"});
  EXPECT_EQ(types_of(imported(model)).at("tokens"), "Embedding");
}

TEST_F(OnnxImport, WeightsInASecondFileAreRead) {
  const auto model = test_models::lenet();
  ASSERT_TRUE(export_onnx(model, at::zeros({1, 1, 28, 28}), file(), {.external_data_from = 0}));
  const auto back = import_onnx(file());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(layers_of(*back)[0].weight.equal(layers_of(model)[0].weight));
}

TEST_F(OnnxImport, QuantizedModelsAreSimulated) {
  const c10::NoGradGuard no_grad;
  auto model = test_models::lenet();
  std::vector<QuantizedLayer> layers;
  const QuantSpec channels{8, QuantDtype::Int, QuantScheme::PerChannelSymmetric};
  for (const Layer& layer : layers_of(model)) layers.push_back({layer, {.weight = channels, .input = QuantSpec{}}});
  const auto quantized = test_models::quantize(QuantizerKind::Qat, model, layers);
  (void)quantized.run(random_input({8, 1, 28, 28}, 1));  // ranges
  model.eval();
  OnnxExportOptions options;
  options.quantization =
      onnx_quantization(QuantizerKind::Qat, {}, layers, quantized.quantization->calibration_config(), model).value();
  ASSERT_TRUE(export_onnx(model, at::zeros({1, 1, 28, 28}), file(), options));
  auto back = import_onnx(file());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(types_of(*back).size(), 4U);
  const at::Tensor x = random_input({16, 1, 28, 28}, 2);
  const at::Tensor ours = quantized.run(x);
  const at::Tensor theirs = back->forward({x}).toTensor();
  EXPECT_LE((ours - theirs).abs().max().item<double>(), 0.02);  // a tie that is rounded the other way
  const at::Tensor weight = layers_of(*back)[0].weight;
  EXPECT_LE(std::get<0>(at::_unique(weight.select(0, 0))).numel(), 256);
}

TEST_F(OnnxImport, AModelPathMayEndInOnnx) {
  ASSERT_TRUE(export_onnx(test_models::lenet(), at::zeros({1, 1, 28, 28}), file()));
  const auto model = load_model(file());
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(layers_of(*model).size(), 4U);
}

}  // namespace
}  // namespace lathe::compression

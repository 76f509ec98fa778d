// Files that are written as ONNX, read back with libonnx. What they compute is tested in tests/onnx.
#include <lathe/compression/onnx_export.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "models.hpp"
#include "onnx_models.hpp"
#include "quantizing.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression {
namespace {

namespace fs = std::filesystem;
using test_models::Builder;
using test_models::OnnxModel;
using testing::AllOf;
using testing::HasSubstr;

onnx::ModelProto read(const fs::path& file) {
  onnx::ModelProto model;
  std::ifstream in(file, std::ios::binary);
  if (!model.ParseFromIstream(&in)) throw std::runtime_error("no ONNX file: " + file.string());
  return model;
}

std::map<std::string, int> count_types(const onnx::ModelProto& model) {
  std::map<std::string, int> counts;
  for (const auto& node : model.graph().node()) ++counts[node.op_type()];
  return counts;
}

const onnx::TensorProto* initializer(const onnx::ModelProto& model, const std::string& name) {
  for (const auto& tensor : model.graph().initializer())
    if (tensor.name() == name) return &tensor;
  return nullptr;
}

std::vector<std::string> dims_of(const onnx::ValueInfoProto& value) {
  std::vector<std::string> dims;
  for (const auto& dim : value.type().tensor_type().shape().dim())
    dims.push_back(dim.has_dim_param() ? dim.dim_param() : std::to_string(dim.dim_value()));
  return dims;
}

torch::jit::Module expression(const std::string& body) {
  return Builder(0).net("Net", {}, "def forward(self, x):\n  " + body);
}

class OnnxExport : public testing::Test {
 protected:
  [[nodiscard]] fs::path file() const { return folder_.path() / "model.onnx"; }

  [[nodiscard]] onnx::ModelProto written(const torch::jit::Module& model, const at::Tensor& example,
                                         const OnnxExportOptions& options = {}) const {
    const auto done = export_onnx(model, example, file(), options);
    if (!done) throw std::runtime_error(done.error().message);
    return read(file());
  }

  [[nodiscard]] std::string error(const torch::jit::Module& model, const at::Tensor& example,
                                  const OnnxExportOptions& options = {}) const {
    const auto done = export_onnx(model, example, file(), options);
    EXPECT_FALSE(fs::exists(file())) << "a file appeared in spite of an error";
    return done ? "" : done.error().message;
  }

  test::TemporaryFolder folder_;
};

class OnnxExportModels : public OnnxExport, public testing::WithParamInterface<int> {};

TEST_P(OnnxExportModels, PassTheCheckerAndShapeInference) {
  for (const auto* models : {&test_models::onnx_networks(), &test_models::onnx_operators()}) {
    for (const OnnxModel& model : *models) {
      SCOPED_TRACE(model.name);
      OnnxExportOptions options{.opset = GetParam(), .dynamic_batch = model.dynamic_batch};
      auto proto = written(model.make(), onnx_input(model, 1, 0), options);
      EXPECT_NO_THROW(onnx::checker::check_model(proto));
      EXPECT_NO_THROW(onnx::shape_inference::InferShapes(proto, onnx::OpSchemaRegistry::Instance(), {true, 1, true}));
      EXPECT_EQ(proto.opset_import(0).version(), GetParam());
      EXPECT_GE(proto.ir_version(), 7);
      const auto input = dims_of(proto.graph().input(0));
      EXPECT_EQ(input[0], model.dynamic_batch ? "batch" : std::to_string(model.input[0]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Opsets, OnnxExportModels, testing::Values(13, 14, 15, 16, 17));

TEST_F(OnnxExport, LeNetHasOneNodeForEachOperator) {
  const auto model = written(test_models::lenet(), at::zeros({1, 1, 28, 28}));
  const std::map<std::string, int> expected{{"Conv", 2}, {"Relu", 3},       {"MaxPool", 2}, {"Reshape", 1},
                                            {"Gemm", 2}, {"LogSoftmax", 1}, {"Identity", 1}};
  EXPECT_EQ(count_types(model), expected);
  EXPECT_THAT(dims_of(model.graph().output(0)), testing::ElementsAre("batch", "10"));
  ASSERT_NE(initializer(model, "conv1.weight"), nullptr);
  EXPECT_EQ(initializer(model, "conv1.weight")->raw_data().size(), 20U * 25 * sizeof(float));
}

TEST_F(OnnxExport, NodesAreNamedAfterTheirModules) {
  const auto model = written(test_models::resnet(), at::zeros({1, 3, 32, 32}));
  std::set<std::string> names;
  for (const auto& node : model.graph().node()) names.insert(node.name());
  EXPECT_TRUE(names.contains("layer1.conv1/Conv"));
  EXPECT_TRUE(names.contains("layer3.down_bn/BatchNormalization"));
}

TEST_F(OnnxExport, SizesThatFollowTheBatchStayDynamic) {
  const auto model = written(expression("return x.reshape([x.size(0) * 4, 6])"), at::zeros({2, 4, 6}));
  EXPECT_THAT(dims_of(model.graph().output(0)), testing::ElementsAre("4*batch+0", "6"));
}

TEST_F(OnnxExport, WhatDependsOnNothingIsAConstant) {
  const auto model = written(expression("return x + torch.arange(4).mul(3).to(6).sqrt()"), at::zeros({2, 4}));
  EXPECT_EQ(count_types(model), (std::map<std::string, int>{{"Add", 1}, {"Identity", 1}}));
}

TEST_F(OnnxExport, WhatNobodyReadsIsNotWritten) {
  const auto model = written(expression("y = torch.erfinv(x)\n  return x * 2"), at::zeros({2, 4}));
  EXPECT_EQ(count_types(model), (std::map<std::string, int>{{"Mul", 1}, {"Identity", 1}}));
}

TEST_F(OnnxExport, BranchesOnSizesAreResolved) {
  const auto model =
      written(expression("if x.size(1) > 3:\n    return torch.relu(x)\n  else:\n    return torch.erfinv(x)"),
              at::zeros({2, 4}));
  EXPECT_EQ(count_types(model)["Relu"], 1);
}

TEST_F(OnnxExport, LargeWeightsGoIntoASecondFile) {
  const auto whole = written(test_models::lenet(), at::zeros({1, 1, 28, 28}));
  const auto parts = written(test_models::lenet(), at::zeros({1, 1, 28, 28}), {.external_data_from = 1000});
  EXPECT_NO_THROW(onnx::checker::check_model(file().string()));
  std::ifstream data(file().string() + ".data", std::ios::binary);
  for (const auto& tensor : parts.graph().initializer()) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
    std::map<std::string, std::string> place;
    for (const auto& entry : tensor.external_data()) place[entry.key()] = entry.value();
    EXPECT_EQ(place["location"], "model.onnx.data");
    EXPECT_EQ(std::stoll(place["offset"]) % 4096, 0);
    std::string bytes(std::stoull(place["length"]), '\0');
    data.seekg(std::stoll(place["offset"]));
    data.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_EQ(bytes, initializer(whole, tensor.name())->raw_data()) << tensor.name();
  }
  EXPECT_EQ(initializer(parts, "fc1.weight")->data_location(), onnx::TensorProto::EXTERNAL);
  EXPECT_TRUE(initializer(parts, "fc1.weight")->raw_data().empty());
}

TEST_F(OnnxExport, TheModelIsLeftInItsModeAndUnchanged) {
  auto model = test_models::residual_net();
  model.train();
  const at::Tensor mean = model.attr("stem_bn").toModule().attr("running_mean").toTensor().clone();
  (void)written(model, at::ones({2, 3, 16, 16}));
  EXPECT_TRUE(model.is_training());
  EXPECT_TRUE(model.attr("stem_bn").toModule().attr("running_mean").toTensor().equal(mean));
}

TEST_F(OnnxExport, AllOperatorsWithoutCounterpartAreToldAtOnce) {
  EXPECT_THAT(error(expression("return torch.erfinv(x) + torch.digamma(x)"), at::zeros({2, 4})),
              AllOf(HasSubstr("aten::erfinv in the model (<string>:2)"), HasSubstr("aten::digamma")));
}

TEST_F(OnnxExport, RefusesWhatDependsOnTheData) {
  EXPECT_THAT(error(expression("if bool(x.sum() > 0):\n    x = x * 2\n  return x"), at::zeros({2, 4})),
              HasSubstr("values of the data"));
}

TEST_F(OnnxExport, RefusesControlFlowOnTheBatch) {
  EXPECT_THAT(error(expression("for i in range(x.size(0)):\n    x = x * 2\n  return x"), at::zeros({2, 4})),
              HasSubstr("depends on the batch size"));
}

TEST_F(OnnxExport, RefusesAModelOfOneBatchSizeAndSaysWhatHelps) {
  const auto model = expression("return x.view([2, 2, 2])");
  EXPECT_THAT(error(model, at::zeros({2, 4})), HasSubstr("export without dynamic_batch"));
  const auto fixed = written(model, at::zeros({2, 4}), {.dynamic_batch = false});
  EXPECT_THAT(dims_of(fixed.graph().input(0)), testing::ElementsAre("2", "4"));
}

TEST_F(OnnxExport, RefusesTensorsThatChangedUnderAnotherName) {
  EXPECT_THAT(error(expression("y = x * 2\n  z = y.view([-1])\n  z.relu_()\n  return y"), at::zeros({2, 4})),
              HasSubstr("changed in place through another view"));
}

TEST_F(OnnxExport, RefusesOptionsOutOfRange) {
  const auto model = expression("return x");
  EXPECT_THAT(error(model, at::zeros({1, 4}), {.opset = 12}), HasSubstr("opset is 12; expected 13 to 17"));
  EXPECT_THAT(error(model, at::zeros({0, 4})), HasSubstr("no samples"));
  EXPECT_THAT(error(model, at::Tensor()), HasSubstr("no samples"));
  EXPECT_THAT(error(model, at::zeros({1, 4}), {.input_name = "x", .output_name = "x"}), HasSubstr("two different"));
}

TEST_F(OnnxExport, NamesTheFileThatCannotBeWritten) {
  const auto done = export_onnx(expression("return x * 2"), at::zeros({1, 4}), folder_.path() / "no" / "model.onnx");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("no/model.onnx"));
}

// ---- quantized ----

struct Qat {
  torch::jit::Module model;
  std::vector<QuantizedLayer> layers;
  nlohmann::ordered_json calibration;

  explicit Qat(const QuantTarget& target) : model(test_models::residual_net()) {
    for (const Layer& layer : layers_of(model))
      if (layer.name == "stem" || layer.name == "fc") layers.push_back({layer, target});
    auto run = test_models::quantize(QuantizerKind::Qat, model, layers);
    (void)run.run(test_models::random_input({4, 3, 16, 16}));  // training mode: ranges are tracked
    calibration = run.quantization->calibration_config();
    model.eval();
  }

  [[nodiscard]] Result<OnnxQuantization> quantization() const {
    return onnx_quantization(QuantizerKind::Qat, {}, layers, calibration, model);
  }
};

TEST_F(OnnxExport, AQuantizedLayerHasIntegerWeightsAndFoldsItsBatchNorm) {
  const Qat qat({.weight = QuantSpec{}, .input = QuantSpec{}});
  OnnxExportOptions options;
  options.quantization = qat.quantization().value();
  const auto model = written(qat.model, at::ones({1, 3, 16, 16}), options);
  auto counts = count_types(model);
  EXPECT_EQ(counts["QuantizeLinear"], 2);
  EXPECT_EQ(counts["DequantizeLinear"], 4);
  const auto* weight = initializer(model, "stem.weight_quantized");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->data_type(), onnx::TensorProto::UINT8);
  EXPECT_NE(initializer(model, "stem.bias_folded"), nullptr);
  auto plain = count_types(written(qat.model, at::ones({1, 3, 16, 16})));
  EXPECT_EQ(counts["BatchNormalization"], plain["BatchNormalization"] - 1);
}

TEST_F(OnnxExport, PerChannelWeightsHaveAnAxis) {
  const Qat qat({.weight = QuantSpec{4, QuantDtype::Int, QuantScheme::PerChannelSymmetric}});
  OnnxExportOptions options;
  options.quantization = qat.quantization().value();
  const auto model = written(qat.model, at::ones({1, 3, 16, 16}), options);
  const auto* weight = initializer(model, "stem.weight_quantized");
  EXPECT_EQ(weight->data_type(), onnx::TensorProto::INT8);
  const auto* levels = reinterpret_cast<const std::int8_t*>(weight->raw_data().data());
  EXPECT_EQ(*std::max_element(levels, levels + weight->raw_data().size()), 7);
  EXPECT_EQ(initializer(model, "stem.weight_scale")->dims(0), 16);
}

TEST_F(OnnxExport, RefusesACalibrationThatDoesNotFit) {
  Qat qat({.weight = QuantSpec{}, .output = QuantSpec{}});
  const auto error_with = [&](const std::function<void(nlohmann::ordered_json&)>& change) {
    Qat changed = qat;
    change(changed.calibration);
    const auto made = changed.quantization();
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(error_with([](auto&) {}), "");
  EXPECT_THAT(error_with([](auto& json) { json.erase("fc"); }), HasSubstr("no layer `fc`"));
  EXPECT_THAT(error_with([](auto& json) { json["fc"].erase("weight_scale"); }),
              HasSubstr("`weight_scale` of layer `fc`"));
  EXPECT_THAT(error_with([](auto& json) { json["fc"]["weight_scale"] = "wide"; }), HasSubstr("finite numbers"));
  EXPECT_THAT(error_with([](auto& json) { json["fc"]["weight_scale"] = 0; }), HasSubstr("positive"));
  EXPECT_THAT(error_with([](auto& json) {
                json["fc"]["weight_scale"] = {1, 2, 3};
                json["fc"]["weight_zero_point"] = {0, 0, 0};
              }),
              HasSubstr("3 values for 10 channels"));
  EXPECT_THAT(error_with([](auto& json) { json["fc"]["weight_zero_point"] = 400; }),
              HasSubstr("not one of the levels"));
  EXPECT_THAT(error_with([](auto& json) { json["fc"]["weight_bits"] = 0; }), HasSubstr("1 to 31"));
}

}  // namespace
}  // namespace lathe::compression

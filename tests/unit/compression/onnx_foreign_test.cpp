// What torch.onnx.export and tf2onnx write and Lathe's own files have not: ways of computing shapes, names, layouts.
#include <map>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/speedup.hpp>

#include "models.hpp"
#include "onnx_import_fixture.hpp"

namespace lathe::compression {
namespace {

using test_models::OnnxFile;
using test_models::random_input;
using test_models::set;
using test_models::set_real;
using testing::Contains;
using testing::Pair;
using Ints = std::vector<std::int64_t>;

class OnnxForeign : public test_models::OnnxImporting {
 protected:
  [[nodiscard]] static std::map<std::string, std::string> types_of(const torch::jit::Module& model) {
    std::map<std::string, std::string> types;
    for (const auto& named : model.named_modules()) types[named.name] = named.value.type()->name()->name();
    return types;
  }
};

void expect_close(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LE((found - expected).abs().max().item<double>(), 1e-5 * std::max(1.0, expected.abs().max().item<double>()));
}

OnnxFile& integers(OnnxFile& model, const std::string& name, const Ints& values) {
  model.initializer(name, at::tensor(values, at::kLong));
  return model;
}

/// `token.expand(batch, -1, -1)`, written without constants folded.
TEST_F(OnnxForeign, PyTorchExpandsByAShapeWithChoices) {
  OnnxFile model(17);
  model.input("x", {-1, 4, 6}).output("y", {-1, 1, 6});
  const at::Tensor token = random_input({1, 1, 6}, 1);
  model.initializer("token", token);
  model.initializer("zero", at::scalar_tensor(0, at::kLong));
  model.initializer("minus", at::scalar_tensor(-1, at::kLong));
  for (const auto& [name, values] : std::map<std::string, Ints>{{"axes", {0}}, {"rest", {-1}}, {"flat", {-1}}})
    integers(model, name, values);
  model.node("Shape", {"x"}, {"shape"});
  model.node("Gather", {"shape", "zero"}, {"n"});
  model.node("Unsqueeze", {"n", "axes"}, {"n1"});
  set(model.node("Concat", {"n1", "rest", "rest"}, {"sizes"}), "axis", 0);
  model.node("Reshape", {"sizes", "flat"}, {"listed"});
  model.node("Shape", {"listed"}, {"length"});
  model.node("ConstantOfShape", {"length"}, {"none"});
  auto& ones = *model.model.mutable_graph()->mutable_node(model.model.graph().node_size() - 1)->add_attribute();
  ones.set_name("value");
  ones.set_type(onnx::AttributeProto::TENSOR);
  ones.mutable_t()->set_data_type(onnx::TensorProto::INT64);
  ones.mutable_t()->add_dims(1);
  ones.mutable_t()->add_int64_data(1);
  model.node("Mul", {"none", "minus"}, {"unknown"});
  model.node("Equal", {"listed", "unknown"}, {"is_unknown"});
  model.node("Where", {"is_unknown", "none", "listed"}, {"target"});
  model.node("Expand", {"token", "target"}, {"y"});
  expect_close(run(model, random_input({3, 4, 6})), token.expand({3, 1, 6}));
}

TEST_F(OnnxForeign, LayersWhoseWeightsHaveNoNameAreCalledAfterTheirNodes) {
  OnnxFile model;
  model.input("x", {-1, 3, 8, 8}).output("y", {-1, 4, 6, 6});
  model.initializer("onnx::Conv_12", random_input({4, 3, 3, 3}));
  model.initializer("const_fold_opt__7", random_input({4, 4, 1, 1}));
  model.node("Conv", {"x", "onnx::Conv_12"}, {"c"}, "/features/features.0/features.0.1/Conv");
  model.node("Relu", {"c"}, {"r"}, "/features/features.0/features.0.1/Relu");
  model.node("Conv", {"r", "const_fold_opt__7"}, {"y"}, "net/conv1/Conv2D");
  const auto types = types_of(imported(model));
  EXPECT_THAT(types, Contains(Pair("features.0.1", "Conv2d")));
  EXPECT_THAT(types, Contains(Pair("features.0.1_Relu", "ReLU")));
  EXPECT_THAT(types, Contains(Pair("net.conv1", "Conv2d")));
}

/// torch.onnx.export writes equal weights once.
TEST_F(OnnxForeign, LayersThatShareEqualWeightsTrainApart) {
  OnnxFile model;
  model.input("x", {-1, 4}).output("y", {-1, 4});
  model.initializer("a.weight", random_input({4, 4}));
  model.node("Identity", {"a.weight"}, {"b.weight"});
  set(model.node("Gemm", {"x", "a.weight"}, {"h"}), "transB", 1);
  set(model.node("Gemm", {"h", "b.weight"}, {"y"}), "transB", 1);
  const auto layers = layers_of(imported(model));
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(layers[1].name, "b");
  EXPECT_TRUE(layers[0].weight.equal(layers[1].weight));
  EXPECT_NE(layers[0].weight.data_ptr(), layers[1].weight.data_ptr());
}

TEST_F(OnnxForeign, BatchNormsOfATrainingGraphFollowTheMode) {
  OnnxFile model(14);
  model.input("x", {-1, 3, 4, 4}).output("y", {-1, 3, 4, 4});
  const at::Tensor weight = random_input({3}, 1);
  const at::Tensor mean = random_input({3}, 2);
  const at::Tensor variance = random_input({3}, 3).abs() + 0.5;
  model.initializer("bn.weight", weight);
  model.initializer("bn.bias", at::zeros({3}));
  model.initializer("bn.running_mean", mean);
  model.initializer("bn.running_var", variance);
  auto& norm = model.node("BatchNormalization", {"x", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"},
                          {"y", "mean", "var"});
  set(norm, "training_mode", 1);
  const at::Tensor x = random_input({5, 3, 4, 4});
  auto module = imported(model);
  const auto batch_norm = [&](bool training) {
    return at::batch_norm(x, weight, at::zeros({3}), mean.clone(), variance.clone(), training, 0.1, 1e-5, false);
  };
  expect_close(module.forward({x}).toTensor(), batch_norm(false));
  module.train();
  expect_close(module.forward({x}).toTensor(), batch_norm(true));
}

/// Its layer normalisation is a batch normalisation by statistics of the input.
TEST_F(OnnxForeign, KerasLayerNormalisation) {
  OnnxFile model;
  model.input("x", {-1, 5, 8}).output("y", {-1, 5, 8});
  for (const auto& [name, values] : std::map<std::string, Ints>{
           {"by_rows", {1, -1, 8}}, {"last", {3}}, {"axes", {0, 2, 3}}, {"first", {0}}, {"two", {2}}})
    integers(model, name, values);
  model.initializer("eight", at::tensor({8.F}));
  model.initializer("one", at::ones({}, at::kFloat));
  model.initializer("none", at::zeros({}, at::kFloat));
  model.node("Shape", {"x"}, {"shape"});
  model.node("Slice", {"shape", "first", "two", "first"}, {"leading"});
  set(set(model.node("ReduceProd", {"leading"}, {"rows"}), "axes", Ints{0}), "keepdims", 0);
  model.node("Unsqueeze", {"rows", "first"}, {"rows1"});
  model.node("Expand", {"one", "rows1"}, {"ones"});
  model.node("Expand", {"none", "rows1"}, {"zeros"});
  model.node("Reshape", {"x", "by_rows"}, {"m"});
  model.node("Unsqueeze", {"m", "last"}, {"m4"});
  set(set(model.node("ReduceMean", {"m4"}, {"mean"}), "axes", Ints{0, 2, 3}), "keepdims", 1);
  model.node("Sub", {"m4", "mean"}, {"centred"});
  set(set(model.node("ReduceSumSquare", {"centred"}, {"squares"}), "axes", Ints{0, 2, 3}), "keepdims", 0);
  model.node("Div", {"squares", "eight"}, {"variance"});
  model.node("Squeeze", {"mean", "axes"}, {"mean1"});
  set_real(model.node("BatchNormalization", {"m4", "ones", "zeros", "mean1", "variance"}, {"normal"}), "epsilon",
           1e-3F);
  model.node("Reshape", {"normal", "shape"}, {"y"});
  const at::Tensor x = random_input({3, 5, 8});
  expect_close(run(model, x), at::layer_norm(x, {8}, {}, {}, 1e-3));
}

/// The sizes of an Einsum's groups of axes are products and maxima of the operands'.
TEST_F(OnnxForeign, ShapesFromProductsAndMaxima) {
  OnnxFile model;
  model.input("x", {-1, 2, 3, 4}).output("y", {-1, 24});
  for (const auto& [name, values] : std::map<std::string, Ints>{{"all", {1, 2, 3}}, {"first", {0}}, {"one", {1}}})
    integers(model, name, values);
  model.node("Shape", {"x"}, {"shape"});
  model.node("Gather", {"shape", "all"}, {"inner"});
  set(model.node("ReduceProd", {"inner"}, {"product"}), "keepdims", 1);
  model.node("Gather", {"shape", "first"}, {"n"});
  model.node("Max", {"n", "one"}, {"rows"});
  set(model.node("Concat", {"rows", "product"}, {"target"}), "axis", 0);
  model.node("Reshape", {"x", "target"}, {"y"});
  const at::Tensor x = random_input({5, 2, 3, 4});
  expect_close(run(model, x), x.reshape({5, 24}));
}

TEST_F(OnnxForeign, KerasUpSamplingRepeatsPixels) {
  OnnxFile model;
  model.input("x", {-1, 2, 3, 3}).output("y", {-1, 2, 6, 6});
  model.initializer("roi", at::zeros({0}));
  model.initializer("scales", at::tensor({1.F, 1.F, 2.F, 2.F}));
  auto& resize = model.node("Resize", {"x", "roi", "scales"}, {"y"});
  set(set(set(resize, "mode", "nearest"), "nearest_mode", "floor"), "coordinate_transformation_mode",
      "tf_half_pixel_for_nn");
  const at::Tensor x = random_input({2, 2, 3, 3});
  expect_close(run(model, x), x.repeat_interleave(2, 2).repeat_interleave(2, 3));
}

/// A recurrent layer of Keras: activations by name, numbered weights, and zeros of a computed shape to begin with.
TEST_F(OnnxForeign, KerasLstm) {
  constexpr std::int64_t kHidden = 3;
  OnnxFile model;
  model.input("x", {-1, 7, 5}).output("y", {-1, kHidden});
  model.initializer("W0__319", random_input({1, 4 * kHidden, 5}, 1));
  model.initializer("R0__320", random_input({1, 4 * kHidden, kHidden}, 2));
  model.initializer("B0__321", random_input({1, 8 * kHidden}, 3));
  model.initializer("zeros/Const:0", at::zeros({}, at::kFloat));
  for (const auto& [name, values] : std::map<std::string, Ints>{{"first", {0}}, {"one", {1}}, {"hidden", {kHidden}}})
    integers(model, name, values);
  model.node("Shape", {"x"}, {"shape"});
  model.node("Slice", {"shape", "first", "one", "first"}, {"n"});
  set(model.node("Concat", {"n", "hidden"}, {"packed"}), "axis", 0);
  model.node("Expand", {"zeros/Const:0", "packed"}, {"state"});
  model.node("Unsqueeze", {"state", "first"}, {"state3"});
  set(model.node("Transpose", {"x"}, {"net/lstm/PartitionedCall/transpose:0"}), "perm", Ints{1, 0, 2});
  auto& lstm = model.node(
      "LSTM", {"net/lstm/PartitionedCall/transpose:0", "W0__319", "R0__320", "B0__321", "", "state3", "state3"},
      {"sequence", "last", "cell"}, "LSTM__322");
  set(lstm, "hidden_size", kHidden);
  auto& activations = *lstm.add_attribute();
  activations.set_name("activations");
  activations.set_type(onnx::AttributeProto::STRINGS);
  for (const char* name : {"Sigmoid", "Tanh", "Tanh"}) activations.add_strings(name);
  model.node("Squeeze", {"last", "first"}, {"y"});
  EXPECT_EQ(types_of(imported(model)).at("net.lstm"), "LSTM");

  const at::Tensor x = random_input({4, 7, 5});
  OnnxFile plain = model;
  plain.model.mutable_graph()->mutable_node(6)->mutable_attribute()->RemoveLast();
  for (int state = 0; state < 3; ++state) plain.model.mutable_graph()->mutable_node(6)->mutable_input()->RemoveLast();
  expect_close(run(model, x), run(plain, x));

  lstm.mutable_attribute(1)->set_strings(0, "Relu");
  EXPECT_ANY_THROW((void)imported(model));
}

/// NHWC models: the channels go through transposes and a flattening that has them last.
TEST_F(OnnxForeign, KerasModelsArePrunedAndSpedUp) {
  OnnxFile model;
  model.input("x", {-1, 12, 12, 1}).output("y", {-1, 10});
  model.initializer("net/conv1/Conv2D/ReadVariableOp:0", random_input({8, 1, 3, 3}, 1));
  model.initializer("net/conv1/BiasAdd/ReadVariableOp:0", random_input({8}, 2));
  model.initializer("net/fc1/MatMul/ReadVariableOp:0", random_input({5 * 5 * 8, 20}, 3));
  model.initializer("net/fc2/MatMul/ReadVariableOp:0", random_input({20, 10}, 4));
  integers(model, "flat", {-1, 200});
  set(model.node("Transpose", {"x"}, {"nchw"}), "perm", Ints{0, 3, 1, 2});
  model.node("Conv", {"nchw", "net/conv1/Conv2D/ReadVariableOp:0", "net/conv1/BiasAdd/ReadVariableOp:0"}, {"c"});
  model.node("Relu", {"c"}, {"r"}, "net/conv1/Relu");
  set(set(model.node("MaxPool", {"r"}, {"p"}), "kernel_shape", Ints{2, 2}), "strides", Ints{2, 2});
  set(model.node("Transpose", {"p"}, {"nhwc"}), "perm", Ints{0, 2, 3, 1});
  model.node("Reshape", {"nhwc", "flat"}, {"f"});
  model.node("MatMul", {"f", "net/fc1/MatMul/ReadVariableOp:0"}, {"h"});
  model.node("Relu", {"h"}, {"hr"}, "net/fc1/Relu");
  model.node("MatMul", {"hr", "net/fc2/MatMul/ReadVariableOp:0"}, {"y"});
  const c10::NoGradGuard no_grad;
  auto module = imported(model);
  const auto pruner = Pruner::create(PruningMetric::L1);
  Masks masks;
  for (const Layer& layer : layers_of(module))
    if (layer.name == "net.conv1" || layer.name == "net.fc1") masks[layer.name] = pruner->mask(layer, 0.5, nullptr);
  ASSERT_EQ(masks.size(), 2U);
  const auto faster = speed_up(module, masks, random_input({2, 12, 12, 1}));
  ASSERT_TRUE(faster) << faster.error().message;
  std::map<std::string, Ints> shapes;
  for (const Layer& layer : layers_of(faster->model)) shapes[layer.name] = layer.weight.sizes().vec();
  EXPECT_EQ(shapes.at("net.conv1"), (Ints{4, 1, 3, 3}));
  EXPECT_EQ(shapes.at("net.fc1"), (Ints{10, 100}));
  EXPECT_EQ(shapes.at("net.fc2"), (Ints{10, 10}));
}

}  // namespace
}  // namespace lathe::compression

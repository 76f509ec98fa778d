#include "quantized_cases.hpp"

#include <memory>
#include <stdexcept>

#include <ATen/ATen.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/quantization.hpp>

#include "models.hpp"
#include "onnx_models.hpp"

namespace lathe::compression::test_models {
namespace {

struct Setting {
  std::string name;
  QuantizerKind kind;
  QuantTarget target;
  QuantizerOptions options = {};
};

std::vector<Setting> settings() {
  const QuantSpec uint8{8, QuantDtype::Uint, QuantScheme::PerTensorAffine};
  const QuantSpec int8{8, QuantDtype::Int, QuantScheme::PerTensorSymmetric};
  const QuantSpec channels{8, QuantDtype::Int, QuantScheme::PerChannelSymmetric};
  const QuantSpec four{4, QuantDtype::Int, QuantScheme::PerChannelSymmetric};
  const QuantSpec sixteen{16, QuantDtype::Int, QuantScheme::PerTensorSymmetric};
  return {{"naive", QuantizerKind::Naive, {.weight = int8}},
          {"qat", QuantizerKind::Qat, {.weight = uint8, .input = uint8, .output = uint8}},
          {"qat_channels", QuantizerKind::Qat, {.weight = channels, .input = uint8, .output = int8}},
          {"qat_4_bits", QuantizerKind::Qat, {.weight = four, .output = uint8}},
          {"qat_16_bits", QuantizerKind::Qat, {.weight = sixteen, .output = sixteen}},
          {"qat_unfolded", QuantizerKind::Qat, {.weight = uint8, .output = uint8}, {.fold_batch_norm = false}},
          {"dorefa_3_bits", QuantizerKind::DoReFa, {.weight = QuantSpec{3}}},
          {"dorefa_8_bits", QuantizerKind::DoReFa, {.weight = QuantSpec{8}}},
          {"bnn", QuantizerKind::Bnn, {.weight = QuantSpec{1}}},
          {"lsq", QuantizerKind::Lsq, {.weight = QuantSpec{8}, .input = QuantSpec{8}}},
          {"observer", QuantizerKind::Observer, {.weight = uint8, .input = uint8, .output = uint8}},
          {"observer_channels",
           QuantizerKind::Observer,
           {.weight = uint8, .input = uint8},
           {.observer = ObserverKind::PerChannel}}};
}

template <class T>
T value_of(Result<T> result, const std::string& name) {
  if (!result) throw std::runtime_error(name + ": " + result.error().message);
  return std::move(*result);
}

void succeed(const Result<void>& result, const std::string& name) {
  if (!result) throw std::runtime_error(name + ": " + result.error().message);
}

std::vector<QuantizedLayer> layers_to_quantize(const torch::jit::Module& model, const QuantTarget& target) {
  std::vector<QuantizedLayer> layers;
  for (const Layer& layer : layers_of(model))
    if (layer.type == "Conv2d" || layer.type == "Linear") layers.push_back({layer, target});
  return layers;
}

QuantizedCase quantized(const std::string& model_name, const torch::jit::Module& model, const Shape& shape,
                        const Setting& setting) {
  const std::string name = model_name + "." + setting.name;
  auto tapped = std::shared_ptr<TappedModel>(value_of(TappedModel::create(model), name));
  const auto layers = layers_to_quantize(model, setting.target);
  auto quantization = std::shared_ptr<Quantization>(
      value_of(Quantization::create(setting.kind, setting.options, layers, tapped), name));
  Shape data_shape = shape;
  data_shape[0] = 64;
  const at::Tensor data = random_input(data_shape, 11);
  if (setting.target.input || setting.target.output) {
    const Dataset dataset = value_of(Dataset::create(data, at::zeros({64}, at::kLong), {}), name);
    succeed(quantization->calibrate(Network(std::shared_ptr<const TappedModel>(tapped)), dataset, 16, 4), name);
  }
  succeed(quantization->finish(), name);
  const at::Tensor warm_up = tapped->forward(data).toTensor();  // naive learns its scales as it runs
  torch::jit::Module saved = copy_model(model);
  saved.eval();
  succeed(quantization->write_weights(saved), name);
  const auto grids =
      onnx_quantization(setting.kind, setting.options, layers, quantization->calibration_config(), saved);
  const auto simulation = [tapped, quantization](const at::Tensor& input) { return tapped->forward(input); };
  return {name, saved, value_of(grids, name), simulation, {random_input(data_shape, 12)}};
}

}  // namespace

std::vector<QuantizedCaseMaker> quantized_cases() {
  std::vector<QuantizedCaseMaker> cases;
  const auto add = [&](const std::string& name, const auto& make, const Shape& shape) {
    for (const Setting& setting : settings()) {
      cases.push_back({name + "." + setting.name, [name, make, shape, setting] {
                         torch::jit::Module model = make(1);
                         model.eval();
                         return quantized(name, model, shape, setting);
                       }});
    }
  };
  add("lenet", lenet, {1, 1, 28, 28});
  add("resnet", resnet, {1, 3, 32, 32});
  return cases;
}

}  // namespace lathe::compression::test_models

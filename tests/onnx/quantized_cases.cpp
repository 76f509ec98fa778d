#include "quantized_cases.hpp"

#include <memory>
#include <stdexcept>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

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

/// Ten classes: the class's own pattern under noise.
struct Samples {
  at::Tensor inputs;
  at::Tensor classes;

  Samples(Shape shape, std::int64_t count, std::uint64_t seed) {
    shape[0] = 10;
    const at::Tensor patterns = random_input(shape, 20);
    shape[0] = count;
    classes = at::arange(count, at::kLong).remainder(10);
    inputs = patterns.index_select(0, classes) + random_input(shape, seed);
  }
};

/// Trains until the model is sure of what it says: one that nobody has trained says nothing with certainty, and any
/// rounding changes its predictions.
void train(torch::jit::Module& model, const Shape& shape) {
  constexpr int kMostSteps = 120;
  constexpr double kSure = 0.005;
  constexpr double kRate = 0.02;
  constexpr double kMomentum = 0.9;
  constexpr int kBatches = 40;  // after which running statistics are those of the weights
  const c10::AutoGradMode grad(true);
  const Samples samples(shape, 100, 21);
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& parameter : model.parameters()) parameters.push_back(parameter);
  std::vector<at::Tensor> velocities;
  for (const at::Tensor& parameter : parameters) velocities.push_back(at::zeros_like(parameter));
  model.train();
  for (int step = 0; step < kMostSteps; ++step) {
    const at::Tensor output = model.forward({samples.inputs}).toTensor();
    const at::Tensor loss = at::nll_loss(at::log_softmax(output, 1), samples.classes);
    if (loss.item<double>() < kSure) break;
    loss.backward();
    const c10::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      velocities[i].mul_(kMomentum).add_(parameters[i].grad());
      parameters[i].sub_(velocities[i], kRate);
      parameters[i].mutable_grad().reset();
    }
  }
  const c10::NoGradGuard no_grad;
  for (int batch = 0; batch < kBatches; ++batch) model.forward({samples.inputs});
  model.eval();
}

QuantizedCase quantized(const std::string& model_name, const torch::jit::Module& model, const Shape& shape,
                        const Setting& setting) {
  const std::string name = model_name + "." + setting.name;
  auto tapped = std::shared_ptr<TappedModel>(value_of(TappedModel::create(model), name));
  const auto layers = layers_to_quantize(model, setting.target);
  auto quantization = std::shared_ptr<Quantization>(
      value_of(Quantization::create(setting.kind, setting.options, layers, tapped), name));
  const at::Tensor data = Samples(shape, 64, 22).inputs;
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
  return {name, saved, value_of(grids, name), simulation, {Samples(shape, 200, 23).inputs}};
}

}  // namespace

std::vector<QuantizedCaseMaker> quantized_cases_of(const std::string& name, torch::jit::Module model,
                                                   const Shape& input, const std::set<std::string>& quantizers) {
  train(model, input);
  std::vector<QuantizedCaseMaker> cases;
  for (const Setting& setting : settings()) {
    if (!quantizers.empty() && !quantizers.contains(setting.name)) continue;
    cases.push_back({name + "." + setting.name, [name, model, input, setting] {
                       torch::jit::Module copy = copy_model(model);
                       copy.eval();
                       return quantized(name, copy, input, setting);
                     }});
  }
  return cases;
}

std::vector<QuantizedCaseMaker> quantized_cases() {
  auto cases = quantized_cases_of("lenet", lenet(1), {1, 1, 28, 28});
  for (auto& one : quantized_cases_of("resnet", resnet(1), {1, 3, 32, 32})) cases.push_back(std::move(one));
  return cases;
}

}  // namespace lathe::compression::test_models

#include "int8_models.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <ATen/ATen.h>

#include "core_models.hpp"
#include "models.hpp"

namespace lathe::bench {
namespace {

using namespace compression;  // NOLINT(google-build-using-namespace)
using torch::jit::Module;

constexpr std::int64_t kRecords = 4;

template <class T>
T value_of(Result<T> result) {
  if (result) return std::move(*result);
  std::puts(result.error().message.c_str());
  std::exit(1);
}

void check(const Result<void>& result) {
  if (result) return;
  std::puts(result.error().message.c_str());
  std::exit(1);
}

}  // namespace

std::vector<Subject> subjects() {
  return {{"LeNet", test_models::lenet(), {1, 1, 28, 28}},
          {"ResNet-18", zoo::core_resnet18(0).model, {1, 3, 224, 224}},
          {"MobileNetV2", zoo::core_mobilenet_v2(0).model, {1, 3, 224, 224}}};
}

InEightBits in_eight_bits(const Module& model, std::vector<std::int64_t> shape, std::int64_t batch) {
  shape[0] = kRecords;
  const auto data = value_of(Dataset::create(test_models::random_input(shape), at::arange(kRecords), {}));
  const Module copy = copy_model(model);
  std::vector<QuantizedLayer> layers;
  for (const Layer& layer : layers_of(copy)) {
    if (layer.type == "Conv2d" || layer.type == "Linear") layers.push_back({layer, {QuantSpec{}, QuantSpec{}, {}, 0}});
  }
  const std::shared_ptr<TappedModel> tapped = value_of(TappedModel::create(copy));
  const auto quantization = value_of(Quantization::create(QuantizerKind::Observer, {}, layers, tapped));
  check(quantization->calibrate(Network(tapped), data, kRecords, 1));
  check(quantization->finish());
  auto int8 = value_of(to_int8(*tapped, *quantization, data, {1, kRecords, {}, batch}));
  const Module delivered = copy_model(copy);
  check(quantization->write_weights(delivered));
  auto grids =
      value_of(onnx_quantization(QuantizerKind::Observer, {}, layers, quantization->calibration_config(), delivered));
  return {std::move(int8), std::move(grids)};
}

}  // namespace lathe::bench

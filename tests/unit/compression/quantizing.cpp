#include "quantizing.hpp"

#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "models.hpp"

namespace lathe::compression::test_models {

torch::jit::Module linear_net(const at::Tensor& rows) {
  Builder build(0);
  auto fc = build.linear(rows.size(1), rows.size(0), false);
  fc.attr("weight").toTensor().detach().copy_(rows);
  return build.net("Net", {{"fc", fc}}, "def forward(self, x):\n  return self.fc.forward(x)\n");
}

torch::jit::Module relu_net() {
  Builder build(0);
  auto act = build.net("torch.nn.modules.activation.ReLU", {}, "def forward(self, x):\n  return torch.relu(x)\n");
  auto fc = build.linear(1, 1, false);
  fc.attr("weight").toTensor().detach().fill_(1);
  return build.net("Net", {{"fc", fc}, {"act", act}},
                   "def forward(self, x):\n  return self.act.forward(x * self.fc.weight.view([1]))\n");
}

torch::jit::Module small_net() {
  Builder build(3);
  return build.net("Net", {{"fc1", build.linear(4, 32)}, {"fc2", build.linear(32, 3)}},
                   "def forward(self, x):\n  return self.fc2.forward(torch.relu(self.fc1.forward(x)))\n");
}

Dataset three_classes(std::int64_t count) {
  const at::Tensor inputs = at::randn({count, 4}, at::detail::createCPUGenerator(5));
  return Dataset::create(inputs, inputs.narrow(1, 0, 3).argmax(1), {}).value();
}

at::Tensor vector_of(const std::vector<float>& values) {
  return at::tensor(values);
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous().view(-1);
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

QuantizedLayer quantized(const torch::jit::Module& model, const std::string& name, QuantTarget target,
                         const std::string& type_without_weight) {
  for (const Layer& layer : layers_of(model)) {
    if (layer.name == name) return {layer, target};
  }
  return {Layer{name, type_without_weight, {}, {}}, target};
}

Quantized quantize(QuantizerKind kind, torch::jit::Module model, std::vector<QuantizedLayer> layers,
                   const QuantizerOptions& options) {
  model.train();
  Quantized result{model, nullptr, nullptr};
  auto tapped = TappedModel::create(model);
  if (!tapped) throw std::runtime_error(tapped.error().message);
  result.tapped = std::move(*tapped);
  auto quantization = Quantization::create(kind, options, std::move(layers), result.tapped);
  if (!quantization) throw std::runtime_error(quantization.error().message);
  result.quantization = std::move(*quantization);
  return result;
}

std::vector<float> quantized_weight(QuantizerKind kind, const at::Tensor& rows, const QuantSpec& spec) {
  const auto model = linear_net(rows);
  const auto net = quantize(kind, model, {quantized(model, "fc", {.weight = spec})});
  at::Tensor seen;
  net.tapped->add_tap("fc", TapPlace::Weight, [&](const at::Tensor& weight) { return seen = weight; });
  (void)net.run(at::ones({1, rows.size(1)}));
  return values_of(seen);
}

std::string error_of(QuantizerKind kind, torch::jit::Module model, std::vector<QuantizedLayer> layers) {
  auto tapped = TappedModel::create(model);
  if (!tapped) return tapped.error().message;
  const auto made = Quantization::create(kind, {}, std::move(layers), std::shared_ptr<TappedModel>(std::move(*tapped)));
  return made ? std::string() : made.error().message;
}

}  // namespace lathe::compression::test_models

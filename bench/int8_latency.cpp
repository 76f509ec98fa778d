// What int8 gains: one forward pass of the float model as it is, of the same frozen and optimised by LibTorch for
// inference, and in int8. The three take turns of a few runs, so that a noisy machine is fair to all and none finds its
// weights pushed out of the caches by the others'; the medians are compared.
//
//     OPENBLAS_NUM_THREADS=1 int8-latency 1                     LeNet and ResNet-18, random weights, one thread
//     OPENBLAS_NUM_THREADS=2 int8-latency 2 MODEL.pt SHAPE      a model of yours, e.g. 1,3,224,224
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/script.h>

#include <lathe/compression/int8.hpp>

#include "models.hpp"

namespace {

using namespace lathe::compression;  // NOLINT(google-build-using-namespace)
using test_models::Builder;
using test_models::ConvOptions;
using torch::jit::Module;

constexpr int kWarmUp = 5;
constexpr int kTurn = 12;    // runs
constexpr int kUntimed = 2;  // the first of a turn, which fetch the weights
constexpr double kSecondsOfEach = 3;

Module basic_block(Builder& build, std::int64_t in, std::int64_t out) {
  const std::int64_t stride = in == out ? 1 : 2;
  std::vector<std::pair<std::string, Module>> children{
      {"conv1", build.conv2d(in, out, {.kernel = 3, .stride = stride, .padding = 1, .bias = false})},
      {"bn1", build.batch_norm2d(out, true)},
      {"conv2", build.conv2d(out, out, {.kernel = 3, .padding = 1, .bias = false})},
      {"bn2", build.batch_norm2d(out, true)}};
  std::string identity = "x";
  if (in != out) {
    children.push_back({"down", build.conv2d(in, out, {.kernel = 1, .stride = 2, .bias = false})});
    children.push_back({"down_bn", build.batch_norm2d(out, true)});
    identity = "self.down_bn.forward(self.down.forward(x))";
  }
  return build.net("BasicBlock", children,
                   "def forward(self, x):\n"
                   "  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                   "  y = self.bn2.forward(self.conv2.forward(y))\n"
                   "  return torch.relu(y + " +
                       identity + ")\n");
}

/// He et al., "Deep Residual Learning for Image Recognition", 2016, table 1.
Module resnet18() {
  Builder build(0);
  std::vector<std::pair<std::string, Module>> children{
      {"conv1", build.conv2d(3, 64, {.kernel = 7, .stride = 2, .padding = 3, .bias = false})},
      {"bn1", build.batch_norm2d(64, true)}};
  std::string body =
      "def forward(self, x):\n"
      "  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
      "  x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1], [1, 1], False)\n";
  std::int64_t in = 64;
  int number = 0;
  for (const std::int64_t out : {64, 64, 128, 128, 256, 256, 512, 512}) {
    const std::string name = "block" + std::to_string(++number);
    children.push_back({name, basic_block(build, in, out)});
    body += "  x = self." + name + ".forward(x)\n";
    in = out;
  }
  children.push_back({"fc", build.linear(512, 1000)});
  body +=
      "  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)\n"
      "  return self.fc.forward(x)\n";
  return build.net("ResNet18", children, body);
}

Module int8_of(Module model, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> records = shape;
  records[0] = 4;
  const auto data = Dataset::create(test_models::random_input(records), at::arange(4), {}).value();
  std::vector<QuantizedLayer> layers;
  for (const Layer& layer : layers_of(model)) {
    if (layer.type == "Conv2d" || layer.type == "Linear") layers.push_back({layer, {QuantSpec{}, QuantSpec{}, {}, 0}});
  }
  const std::shared_ptr<TappedModel> tapped = TappedModel::create(model).value();
  const auto quantization = Quantization::create(QuantizerKind::Observer, {}, layers, tapped).value();
  if (auto done = quantization->calibrate(Network(tapped), data, 4, 1); !done) std::puts(done.error().message.c_str());
  if (auto done = quantization->finish(); !done) std::puts(done.error().message.c_str());
  auto made = to_int8(*tapped, *quantization, data, {1, 4, {}});
  if (!made) {
    std::puts(made.error().message.c_str());
    std::exit(1);
  }
  for (const auto* steps : {&made->layers, &made->operators}) {
    for (const Int8Step& step : *steps)
      if (!step.int8) std::printf("  float: %s: %s\n", step.name.c_str(), step.reason.c_str());
  }
  return made->model;
}

double milliseconds(Module& model, const at::Tensor& input) {
  const auto start = std::chrono::steady_clock::now();
  model.forward({input});
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double>& times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

/// Medians of plain, frozen and int8 in milliseconds.
std::array<double, 3> measure(std::array<Module*, 3> models, const at::Tensor& input) {
  std::array<std::vector<double>, 3> times;
  for (int i = 0; i < kWarmUp; ++i) {
    for (Module* each : models) milliseconds(*each, input);
  }
  const double turn = kTurn * milliseconds(*models[0], input);
  const int turns = std::clamp(static_cast<int>(kSecondsOfEach * 1000 / turn), 3, 60);
  for (int i = 0; i < turns; ++i) {
    for (std::size_t m = 0; m < models.size(); ++m) {
      for (int run = 0; run < kTurn; ++run) {
        const double time = milliseconds(*models[m], input);
        if (run >= kUntimed) times[m].push_back(time);
      }
    }
  }
  return {median(times[0]), median(times[1]), median(times[2])};
}

void compare(const std::string& name, const Module& model, std::vector<std::int64_t> shape,
             const std::vector<std::int64_t>& batches) {
  const c10::NoGradGuard no_grad;
  Module plain = copy_model(model);
  plain.eval();
  Module copy = copy_model(plain);
  Module frozen = torch::jit::optimize_for_inference(copy);
  Module int8 = int8_of(copy_model(plain), shape);
  for (const std::int64_t batch : batches) {
    shape[0] = batch;
    const auto ms = measure({&plain, &frozen, &int8}, test_models::random_input(shape, 7));
    std::printf("| %s | %d | %ld | %.3f | %.3f | %.3f | %.2f | %.2f |\n", name.c_str(), at::get_num_threads(),
                static_cast<long>(batch), ms[0], ms[1], ms[2], ms[0] / ms[2], ms[1] / ms[2]);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
  std::puts(
      "| model | threads | batch | float, ms | float, frozen, ms | int8, ms | speed-up | over frozen |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |");
  if (argc == 4) {
    std::vector<std::int64_t> shape;
    std::stringstream sizes(argv[3]);
    for (std::string size; std::getline(sizes, size, ',');) shape.push_back(std::stoll(size));
    compare(argv[2], load_model(argv[2]).value(), shape, {shape.at(0)});
    return 0;
  }
  compare("LeNet", test_models::lenet(), {1, 1, 28, 28}, {1, 4, 16, 64});
  compare("ResNet-18", resnet18(), {1, 3, 224, 224}, {1, 4});
  return 0;
}

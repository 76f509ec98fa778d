// What int8 gains: one forward pass of the float model as it is, of the same frozen and optimised by LibTorch for
// inference, and in int8. The three take turns of a few runs, so that a noisy machine is fair to all and none finds its
// weights pushed out of the caches by the others'; the medians are compared.
//
//     OPENBLAS_NUM_THREADS=1 int8-latency 1                     LeNet, ResNet-18 and MobileNetV2, one thread
//     OPENBLAS_NUM_THREADS=2 int8-latency 2 MODEL.pt SHAPE      a model of yours, e.g. 1,3,224,224
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/script.h>

#include <lathe/compression/int8.hpp>

#include "int8_models.hpp"
#include "models.hpp"

namespace {

using namespace lathe::compression;  // NOLINT(google-build-using-namespace)
using torch::jit::Module;

constexpr int kWarmUp = 5;
constexpr int kTurn = 12;    // runs
constexpr int kUntimed = 2;  // the first of a turn, which fetch the weights
constexpr double kSecondsOfEach = 3;

/// For batches of `batch`: a model of its own for each, because kernels keep what they prepared for the first they see.
Module int8_of(const Module& model, const std::vector<std::int64_t>& shape, std::int64_t batch) {
  const Int8Model made = lathe::bench::in_eight_bits(model, shape, batch).int8;
  for (const auto* steps : {&made.layers, &made.operators}) {
    for (const Int8Step& step : *steps)
      if (!step.int8) std::printf("  float: %s: %s\n", step.name.c_str(), step.reason.c_str());
  }
  return made.model;
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
  for (const std::int64_t batch : batches) {
    Module int8 = int8_of(plain, shape, batch);
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
  for (const auto& subject : lathe::bench::subjects()) {
    const bool is_small = subject.shape.back() < 100;
    compare(subject.name, subject.model, subject.shape,
            is_small ? std::vector<std::int64_t>{1, 4, 32} : std::vector<std::int64_t>{1, 4});
  }
  return 0;
}

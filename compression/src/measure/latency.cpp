#include <algorithm>
#include <chrono>
#include <vector>

#include <ATen/core/grad_mode.h>

#include <lathe/compression/measure.hpp>

namespace lathe::compression {
namespace {

double milliseconds_of_one_run(torch::jit::Module& model, const at::Tensor& example) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  model.forward({example});
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> times) {
  if (times.empty()) return 0;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  if (times.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(times.begin(), middle)) / 2;
}

}  // namespace

LatencyComparison compare_latency(torch::jit::Module original, torch::jit::Module compressed, const at::Tensor& example,
                                  const LatencyOptions& options) {
  const at::NoGradGuard no_grad;
  original = copy_model(original);  // eval mode must not leak to the caller's modules
  compressed = copy_model(compressed);
  original.eval();
  compressed.eval();
  for (int i = 0; i < options.warmup; ++i) {
    milliseconds_of_one_run(original, example);
    milliseconds_of_one_run(compressed, example);
  }
  std::vector<double> original_ms;
  std::vector<double> compressed_ms;
  for (int i = 0; i < options.runs; ++i) {
    original_ms.push_back(milliseconds_of_one_run(original, example));
    compressed_ms.push_back(milliseconds_of_one_run(compressed, example));
  }
  return {median(std::move(original_ms)), median(std::move(compressed_ms))};
}

}  // namespace lathe::compression

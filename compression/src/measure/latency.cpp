#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>

#include "measure/statistics.hpp"

namespace lathe::compression {
namespace {

/// So many threads, as long as it lives.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(at::get_num_threads()) {
    if (threads > 0 && threads != before_) at::set_num_threads(threads);
  }
  ~ThreadCount() {
    if (at::get_num_threads() != before_) at::set_num_threads(before_);
  }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

void wait_for(const at::Device& device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.synchronizeStream(guard.getStream(device));
}

double milliseconds_of_one_run(torch::jit::Module& model, const at::Tensor& example) {
  using Clock = std::chrono::steady_clock;
  wait_for(example.device());
  const auto start = Clock::now();
  model.forward({example});
  wait_for(example.device());
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double interquartile_range(const std::vector<double>& times) {
  return quantile(times, 0.75) - quantile(times, 0.25);
}

/// Timed runs of a turn. The run before them, which brings back into the caches what the other models have pushed out,
/// does not count: where the model is used it runs alone.
constexpr int kRunsOfATurn = 4;

/// One list of times for each model.
std::vector<std::vector<double>> times_in_turns(std::vector<torch::jit::Module>& models, const at::Tensor& example,
                                                const LatencyOptions& options) {
  for (int i = 0; i < options.warmup; ++i) {
    for (torch::jit::Module& model : models) milliseconds_of_one_run(model, example);
  }
  std::vector<std::vector<double>> times(models.size());
  bool forwards = true;
  for (int done = 0; done < options.runs; done += kRunsOfATurn, forwards = !forwards) {
    for (std::size_t turn = 0; turn < models.size(); ++turn) {
      const std::size_t which = forwards ? turn : models.size() - 1 - turn;
      milliseconds_of_one_run(models[which], example);
      for (int i = done; i < std::min(done + kRunsOfATurn, options.runs); ++i)
        times[which].push_back(milliseconds_of_one_run(models[which], example));
    }
  }
  return times;
}

LatencyComparison comparison(const std::vector<double>& before, const std::vector<double>& after, std::uint64_t seed) {
  const auto [low, high] = ratio_interval(before, after, seed);
  LatencyComparison found{quantile(before, 0.5), quantile(after, 0.5)};
  found.original_iqr_ms = interquartile_range(before);
  found.compressed_iqr_ms = interquartile_range(after);
  found.speedup = found.compressed_ms > 0 ? found.original_ms / found.compressed_ms : 0;
  found.speedup_low = low;
  found.speedup_high = high;
  return found;
}

}  // namespace

LatencyComparison compare_latency(torch::jit::Module original, torch::jit::Module compressed, const at::Tensor& example,
                                  const LatencyOptions& options) {
  return compare_latencies(std::move(original), {std::move(compressed)}, example, options).front();
}

std::vector<LatencyComparison> compare_latencies(torch::jit::Module original,
                                                 const std::vector<torch::jit::Module>& compressed,
                                                 const at::Tensor& example, const LatencyOptions& options) {
  const at::NoGradGuard no_grad;
  const ThreadCount threads(options.threads);
  std::vector<torch::jit::Module> models{copy_model(original)};  // eval mode must not leak to the caller's modules
  for (const torch::jit::Module& model : compressed) models.push_back(copy_model(model));
  for (torch::jit::Module& model : models) model.eval();
  const auto times = times_in_turns(models, example, options);
  std::vector<LatencyComparison> found;
  for (std::size_t i = 1; i < times.size(); ++i) found.push_back(comparison(times[0], times[i], options.seed));
  return found;
}

}  // namespace lathe::compression

#include "costs.hpp"

#include <ATen/Parallel.h>

#include "metrics.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Pair<std::int64_t>& pair) {
  return {{"original", pair.original}, {"compressed", pair.compressed}};
}

/// Both models through one measure; the first error counts.
template <class T, class Measure>
Result<void> measure_both(Pair<T>& pair, const torch::jit::Module& original, const torch::jit::Module& compressed,
                          const Measure& measure) {
  auto before = measure(original);
  if (!before) return tl::unexpected(before.error());
  auto after = measure(compressed);
  if (!after) return tl::unexpected(after.error());
  pair = {std::move(*before), std::move(*after)};
  return {};
}

Result<void> count(Costs& costs, const Setup& setup, const torch::jit::Module& compressed) {
  const at::Tensor sample = example_inputs(setup.test, 1);
  const at::Tensor batch = example_inputs(setup.test, costs.batch_size);
  auto counted = measure_both(costs.macs, setup.model, compressed,
                              [&](const auto& model) { return compression::count_macs(model, sample); });
  if (!counted) return counted;
  counted = measure_both(costs.operations, setup.model, compressed, [&](const auto& model) {
    return compression::count_macs(model, sample, compression::CountMode::Full).map(compression::total_macs);
  });
  if (!counted) return counted;
  return measure_both(costs.activation_bytes, setup.model, compressed,
                      [&](const auto& model) { return compression::peak_activation_bytes(model, batch); });
}

}  // namespace

compression::LatencyComparison compare_latency(const Setup& setup, const torch::jit::Module& compressed,
                                               QuietHost& host) {
  const auto& config = setup.config.latency;
  const at::Tensor batch = example_inputs(setup.test, config.batch_size);
  const compression::LatencyOptions options{.runs = static_cast<int>(config.runs),
                                            .warmup = static_cast<int>(config.warmup),
                                            .threads = 0,
                                            .seed = setup.config.seed};
  compression::LatencyComparison found;
  const auto measure = [&] { found = compression::compare_latency(setup.model, compressed, batch, options); };
  if (judges_time(setup.config.objective))
    host.alone(measure);
  else
    measure();
  return found;
}

Result<Costs> compare_costs(const Setup& setup, const torch::jit::Module& compressed, const std::filesystem::path& file,
                            QuietHost& host) {
  Costs costs;
  costs.batch_size = example_inputs(setup.test, setup.config.latency.batch_size).size(0);
  costs.runs = setup.config.latency.runs;
  costs.threads = at::get_num_threads();
  costs.alone = host.is_shared() && judges_time(setup.config.objective);
  if (auto counted = count(costs, setup, compressed); !counted) return tl::unexpected(counted.error());
  costs.size_bytes = {static_cast<std::int64_t>(std::filesystem::file_size(setup.config.model)),
                      static_cast<std::int64_t>(std::filesystem::file_size(file))};
  costs.latency = compare_latency(setup, compressed, host);
  return costs;
}

Json to_json(const Costs& costs) {
  const auto& latency = costs.latency;
  return {{"macs",
           {{"original", compression::total_macs(costs.macs.original)},
            {"compressed", compression::total_macs(costs.macs.compressed)}}},
          {"operations", to_json(costs.operations)},
          {"activation_bytes", to_json(costs.activation_bytes)},
          {"size_bytes", to_json(costs.size_bytes)},
          {"latency",
           {{"original_ms", latency.original_ms},
            {"original_iqr_ms", latency.original_iqr_ms},
            {"compressed_ms", latency.compressed_ms},
            {"compressed_iqr_ms", latency.compressed_iqr_ms},
            {"speedup", latency.speedup},
            {"speedup_low", latency.speedup_low},
            {"speedup_high", latency.speedup_high},
            {"batch_size", costs.batch_size},
            {"threads", costs.threads},
            {"runs", costs.runs},
            {"alone", costs.alone}}}};
}

}  // namespace lathe::trial

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

Json latency_json(const Costs& costs) {
  const auto& latency = costs.latency;
  Json json{{"original_ms", latency.original_ms},
            {"original_iqr_ms", latency.original_iqr_ms},
            {"compressed_ms", latency.compressed_ms},
            {"compressed_iqr_ms", latency.compressed_iqr_ms},
            {"speedup", latency.speedup},
            {"speedup_low", latency.speedup_low},
            {"speedup_high", latency.speedup_high}};
  if (const auto& int8 = costs.int8_latency) {
    json.update({{"int8_ms", int8->compressed_ms},
                 {"int8_iqr_ms", int8->compressed_iqr_ms},
                 {"int8_speedup", int8->speedup},
                 {"int8_speedup_low", int8->speedup_low},
                 {"int8_speedup_high", int8->speedup_high}});
  }
  json.update(
      {{"batch_size", costs.batch_size}, {"threads", costs.threads}, {"runs", costs.runs}, {"alone", costs.alone}});
  return json;
}

}  // namespace

std::vector<compression::LatencyComparison> compare_latencies(const Setup& setup,
                                                              const std::vector<torch::jit::Module>& compressed,
                                                              QuietHost& host) {
  const auto& config = setup.config.latency;
  const at::Tensor batch = example_inputs(setup.test, config.batch_size);
  const compression::LatencyOptions options{.runs = static_cast<int>(config.runs),
                                            .warmup = static_cast<int>(config.warmup),
                                            .threads = 0,
                                            .seed = setup.config.seed};
  std::vector<compression::LatencyComparison> found;
  const auto measure = [&] { found = compression::compare_latencies(setup.model, compressed, batch, options); };
  if (judges_time(setup.config.objective))
    host.alone(measure);
  else
    measure();
  return found;
}

Result<Costs> compare_costs(const Setup& setup, const torch::jit::Module& compressed, const std::filesystem::path& file,
                            const std::optional<torch::jit::Module>& int8, QuietHost& host) {
  Costs costs;
  costs.batch_size = example_inputs(setup.test, setup.config.latency.batch_size).size(0);
  costs.runs = setup.config.latency.runs;
  costs.threads = at::get_num_threads();
  costs.alone = host.is_shared() && judges_time(setup.config.objective);
  if (auto counted = count(costs, setup, compressed); !counted) return tl::unexpected(counted.error());
  costs.size_bytes = {static_cast<std::int64_t>(std::filesystem::file_size(setup.config.model)),
                      static_cast<std::int64_t>(std::filesystem::file_size(file))};
  std::vector<torch::jit::Module> models{compressed};
  if (int8) models.push_back(*int8);
  const auto latencies = compare_latencies(setup, models, host);
  costs.latency = latencies.front();
  if (int8) costs.int8_latency = latencies.back();
  return costs;
}

Json to_json(const Costs& costs) {
  return {{"macs",
           {{"original", compression::total_macs(costs.macs.original)},
            {"compressed", compression::total_macs(costs.macs.compressed)}}},
          {"operations", to_json(costs.operations)},
          {"activation_bytes", to_json(costs.activation_bytes)},
          {"size_bytes", to_json(costs.size_bytes)},
          {"latency", latency_json(costs)}};
}

}  // namespace lathe::trial

// What the original and the compressed model cost, side by side.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/measure.hpp>

#include "quiet_host.hpp"
#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

template <class T>
struct Pair {
  T original{};
  T compressed{};
};

struct Costs {
  Pair<std::vector<compression::LayerMacs>> macs;  ///< of one sample, by layer
  Pair<std::int64_t> operations;                   ///< of one sample: CountMode::Full
  Pair<std::int64_t> activation_bytes;             ///< most that live at one time, for one batch of latency.batchSize
  Pair<std::int64_t> size_bytes;                   ///< of the TorchScript files
  compression::LatencyComparison latency;
  std::optional<compression::LatencyComparison> int8_latency;  ///< of int8.pt, in turns with the two others
  std::int64_t batch_size = 1;                                 ///< of latency and activation_bytes
  std::int64_t runs = 0;                                       ///< timed runs of each model
  int threads = 1;
  bool alone = false;  ///< no other trial of the host computed meanwhile
};

/// `compressed` is the model in `file`, `int8` that of int8.pt if there is one, whose engine is then set. They are
/// timed in one session, with nobody else on the host if the objective is a matter of time.
[[nodiscard]] Result<Costs> compare_costs(const Setup& setup, const torch::jit::Module& compressed,
                                          const std::filesystem::path& file,
                                          const std::optional<torch::jit::Module>& int8, QuietHost& host);

/// Times alone, of each model against the original; as compare_costs does it.
[[nodiscard]] std::vector<compression::LatencyComparison> compare_latencies(
    const Setup& setup, const std::vector<torch::jit::Module>& compressed, QuietHost& host);

/// {macs, operations, activation_bytes, size_bytes: {original, compressed}, latency: {…}}
[[nodiscard]] nlohmann::ordered_json to_json(const Costs& costs);

}  // namespace lathe::trial

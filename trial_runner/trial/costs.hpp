// What the original and the compressed model cost, side by side.
#pragma once

#include <cstdint>
#include <filesystem>
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
  std::int64_t batch_size = 1;  ///< of latency and activation_bytes
  std::int64_t runs = 0;        ///< timed runs of each model
  int threads = 1;
  bool alone = false;  ///< no other trial of the host computed meanwhile
};

/// `compressed` is the model in `file`. It is timed with nobody else on the host, if the objective is a matter of time.
[[nodiscard]] Result<Costs> compare_costs(const Setup& setup, const torch::jit::Module& compressed,
                                          const std::filesystem::path& file, QuietHost& host);

/// Times alone; as compare_costs does it.
[[nodiscard]] compression::LatencyComparison compare_latency(const Setup& setup, const torch::jit::Module& compressed,
                                                             QuietHost& host);

/// {macs, operations, activation_bytes, size_bytes: {original, compressed}, latency: {…}}
[[nodiscard]] nlohmann::ordered_json to_json(const Costs& costs);

}  // namespace lathe::trial

// The original model's figures, against which every trial is judged.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/measure.hpp>

#include "quiet_host.hpp"
#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

struct Baseline {
  std::optional<double> accuracy;  ///< none: the loss has no accuracy
  double loss = 0;
  std::int64_t parameters = 0;
  std::int64_t macs = 0;        ///< for one sample
  std::int64_t size_bytes = 0;  ///< of the TorchScript file
  double latency_ms = 0;        ///< one batch of latency.batchSize
};

/// {default: accuracy or else loss, accuracy, loss, parameters, macs, size_bytes, latency_ms}
[[nodiscard]] nlohmann::ordered_json to_json(const Baseline& baseline);
/// Errors name the file, and the key that is missing or not a number.
[[nodiscard]] Result<Baseline> read_baseline(const std::filesystem::path& file);

/// Evaluates the original on the whole test part and measures it; its time with nobody else on the host, if the
/// objective is a matter of time.
[[nodiscard]] Result<Baseline> measure_baseline(const Setup& setup, QuietHost& host);

}  // namespace lathe::trial

// What a trial reports about the compressed model, and the one number that the tuner sees.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/evaluate.hpp>
#include <lathe/proto/compression_config.hpp>

namespace lathe::trial {

/// Of int8.pt, measured as that of compressed.pt.
struct Int8Metrics {
  std::optional<double> accuracy;
  double loss = 0;
  std::int64_t size_bytes = 0;
  double latency_ms = 0;
  double speedup = 0;
};

struct Metrics {
  std::optional<double> accuracy;       ///< none: the loss has no accuracy
  std::optional<double> accuracy_drop;  ///< original's accuracy - accuracy
  double loss = 0;
  double sparsity = 0;  ///< 1 - nonzero parameters / parameters of the original
  std::int64_t parameters = 0;
  std::int64_t macs = 0;
  std::int64_t size_bytes = 0;        ///< of compressed.pt as it is; zeros take as much room as other weights
  std::int64_t effective_bytes = 0;   ///< of the parameters at their bit widths; size_bytes of an ideal file
  std::int64_t activation_bytes = 0;  ///< most that live at one time while one batch of latency.batchSize runs
  double latency_ms = 0;
  double speedup = 0;  ///< the original's latency / latency, measured side by side
  std::optional<Int8Metrics> int8 = {};
};

/// Whether the objective is a matter of time, so that a trial has to be measured with nothing else running.
[[nodiscard]] bool judges_time(const proto::ObjectiveConfig& objective);

/// The objective's value by the rule of proto::ObjectiveConfig.
[[nodiscard]] double objective_value(const Metrics& metrics, const proto::ObjectiveConfig& objective);

/// {default, accuracy, accuracy_drop, …}, without those that there are not
[[nodiscard]] nlohmann::ordered_json to_json(const Metrics& metrics, const proto::ObjectiveConfig& objective);

/// Every parameter at 32 bits, but the weights of these layers at theirs.
[[nodiscard]] std::int64_t effective_bytes(const torch::jit::Module& model,
                                           const std::map<std::string, int>& weight_bits);

/// {accuracy, loss}, without what there is not
[[nodiscard]] nlohmann::ordered_json to_json(const compression::Evaluation& quality);

/// For people: four digits, or `none`.
[[nodiscard]] std::string accuracy_text(const std::optional<double>& accuracy);

}  // namespace lathe::trial

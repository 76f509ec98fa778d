// One model compressed in one way, without a daemon: what a trial of an experiment does, into a folder of the user's.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "result.hpp"

namespace lathe::trial {

struct CompressOptions {
  std::filesystem::path config;  ///< experiment file with a `compression:` block
  std::filesystem::path output;  ///< folder to make
  std::filesystem::path model;   ///< instead of compression.model; empty: that
  std::string parameters;        ///< JSON; empty: the one point of the file's search space
};

/// Checks and measures the original, compresses, fine-tunes, speeds up, measures, and leaves compressed.pt, report.json
/// and what else a trial leaves in `output`, which appears whole or not at all. The original is only read. Returns the
/// report.
[[nodiscard]] Result<nlohmann::ordered_json> compress_once(const CompressOptions& options);

/// The report's figures of the original and the compressed model, side by side.
[[nodiscard]] std::string cost_table(const nlohmann::ordered_json& report);

}  // namespace lathe::trial

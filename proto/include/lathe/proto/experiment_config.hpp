// The experiment configuration: NNI's v2 keys (camelCase or snake_case, case ignored), NNI v1 files converted, and our
// own `compression:` block in place of `trialCommand`.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/compression_config.hpp>
#include <lathe/proto/result.hpp>
#include <lathe/proto/search_space.hpp>
#include <lathe/proto/training_service.hpp>

namespace lathe::proto {

enum class OptimizeMode { Minimize, Maximize };
enum class TunerKind { Random, Tpe, Anneal };

/// `minimize`, `maximize`.
[[nodiscard]] std::string_view to_string(OptimizeMode mode);
/// NNI's spelling: `TPE`, `Random`, `Anneal`.
[[nodiscard]] std::string_view to_string(TunerKind kind);

/// `tuner:`. The name ignores case. Unknown names and unknown classArgs are errors that list the known ones.
struct TunerConfig {
  TunerKind kind = TunerKind::Random;
  OptimizeMode optimize_mode = OptimizeMode::Minimize;
  std::optional<std::uint64_t> seed;  ///< none: drawn once when the experiment is created
  /// As given, in canonical spelling; optimize_mode and a given seed are in it too.
  nlohmann::ordered_json class_args = nlohmann::ordered_json::object();
};

/// How often a trial is run again. `maxRetries:` takes a number for both, or an object.
struct RetryConfig {
  std::int64_t lost = 1;    ///< after its host or agent was lost
  std::int64_t failed = 0;  ///< after it failed by itself
};

struct ExperimentConfig {
  std::string experiment_name;
  SearchSpace search_space;
  std::optional<std::string> trial_command;  ///< a shell command; exactly one of trial_command, compression is set
  std::optional<CompressionConfig> compression;
  std::filesystem::path trial_code_directory;    ///< absolute; working directory of trial_command
  std::int64_t trial_concurrency = 1;            ///< > 0
  std::optional<std::int64_t> max_trial_number;  ///< > 0; none: no limit
  std::optional<std::chrono::seconds> max_experiment_duration;
  std::optional<std::chrono::seconds> max_trial_duration;
  TunerConfig tuner;
  /// NNI's trialGpuNumber: none: GPUs are not looked at, 0: the trial sees none, more: so many are the trial's.
  std::optional<std::int64_t> trial_gpu_number;
  RetryConfig max_retries;
  std::vector<TrainingService> training_services{LocalService{}};  ///< in order of preference; not empty
  std::vector<std::string> warnings;  ///< keys that NNI knows and Lathe ignores, converted v1 keys, …
};

/// Where the text of a config came from and how its relative paths are to be taken.
struct ConfigOrigin {
  std::string file;  ///< shown in errors; empty for a request body
  /// Relative paths are looked up in these folders, in order; the first that has the path wins.
  std::vector<std::filesystem::path> search_path;
  /// The text is what to_json() wrote and was checked when it was submitted: paths are taken as they are and the disk
  /// is not asked, so that an experiment can be read back after its files have moved.
  bool canonical = false;
};

/// Parses YAML or JSON (JSON is tried when the text starts with `{`; trailing commas are forgiven), applies defaults,
/// checks every rule, resolves and checks paths. Reports every error with file, line, key, value and what was expected.
[[nodiscard]] Checked<ExperimentConfig> parse_experiment_config(std::string_view text, const ConfigOrigin& origin);

/// The canonical JSON form: camelCase, absolute paths, defaults written out, unset keys left out.
/// parse_experiment_config(to_json(c).dump(), {}) gives c again (without the warnings).
[[nodiscard]] nlohmann::ordered_json to_json(const ExperimentConfig& config);

/// NNI's durations: a positive number with unit d, h, m or s (case ignored; a fraction is rounded up to whole seconds),
/// or a plain integer of seconds.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(const nlohmann::ordered_json& value);

/// `90s` style text that parse_duration reads back.
[[nodiscard]] std::string to_string(std::chrono::seconds duration);

}  // namespace lathe::proto

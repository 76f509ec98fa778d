// The `compression:` block of an experiment: what the built-in trial program compresses and how it judges the result.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

/// Images and labels in IDX files (the format of MNIST), plain or gzip-compressed (.gz).
struct IdxFiles {
  std::filesystem::path images;
  std::filesystem::path labels;
};

/// One or more files of CIFAR-10 (1 + 3072 bytes a record) or CIFAR-100 (2 + 3072) binary batches.
struct CifarFiles {
  std::vector<std::filesystem::path> batches;
};

/// A `.pt` file written by torch.save / torch::save: a tuple or dict of tensors (inputs [N, …], targets [N] or [N, …]).
struct TensorFile {
  std::filesystem::path file;
};

/// Half-open range of the records of the files, for splitting one file into train and test parts.
struct RecordRange {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;  ///< none: to the last record
};

/// One part of a data set: the files of the format the data set names, and which of their records.
struct DataPart {
  std::variant<IdxFiles, CifarFiles, TensorFile> source;
  RecordRange range;
};

enum class DataFormat { Idx, Cifar10, Cifar100, Tensor };

/// Train and test parts. Integer pixels are scaled to [0, 1], then normalised per channel as (x - mean) / std.
struct DataConfig {
  DataFormat format = DataFormat::Idx;
  DataPart train;
  DataPart test;
  std::vector<double> mean;  ///< per channel; empty: not normalised
  std::vector<double> std;   ///< per channel, > 0; same length as `mean`
};

enum class EvaluationMetric { Accuracy, Loss };

struct EvaluationConfig {
  EvaluationMetric metric = EvaluationMetric::Accuracy;
  std::int64_t batch_size = 256;
};

enum class OptimizerKind { Sgd, Adam, AdamW };

/// Fine-tuning after (or, for AGP, during) compression.
struct FinetuningConfig {
  std::int64_t epochs = 1;  ///< 0: no fine-tuning
  OptimizerKind optimizer = OptimizerKind::Sgd;
  /// momentum, weight_decay, nesterov (0/1), dampening; beta1, beta2, eps
  std::map<std::string, double> optimizer_args;
  double learning_rate = 0.01;
  std::int64_t batch_size = 64;
};

/// What `default` of the final metric is. All are larger-is-better except Loss, Parameters, Macs, SizeBytes, LatencyMs.
enum class ObjectiveMetric { Accuracy, Loss, Sparsity, Speedup, Parameters, Macs, SizeBytes, LatencyMs };

/// `default` is the metric while accuracy_drop <= max_accuracy_drop. Beyond that a trial ranks behind every feasible
/// one, the worse the larger its excess (feasibility rules of Deb, "An efficient constraint handling method for genetic
/// algorithms", 2000): -(drop - max) when maximising, 1e12 * (1 + drop - max) when minimising.
struct ObjectiveConfig {
  ObjectiveMetric metric = ObjectiveMetric::Accuracy;
  std::optional<double> max_accuracy_drop;  ///< fraction, e.g. 0.01 = one point; none: no constraint
};

[[nodiscard]] bool is_maximized(ObjectiveMetric metric);
/// As written in a config, e.g. `sizeBytes`.
[[nodiscard]] std::string_view to_string(ObjectiveMetric metric);

/// Latency measurement: original and compressed model take turns; the medians are reported.
struct LatencyConfig {
  std::int64_t runs = 50;   ///< timed runs of each model
  std::int64_t warmup = 5;  ///< untimed runs of each model first
  std::int64_t batch_size = 1;
};

struct CompressionConfig {
  std::filesystem::path model;            ///< TorchScript file
  std::vector<std::int64_t> input_shape;  ///< of one example batch, e.g. [1, 1, 28, 28]; every size > 0
  DataConfig data;
  EvaluationConfig evaluation;
  FinetuningConfig finetuning;
  ObjectiveConfig objective;
  LatencyConfig latency;
  /// Fixed config_list entries, appended behind those that the parameters give: they have the last word.
  nlohmann::ordered_json config_list = nlohmann::ordered_json::array();
  std::int64_t threads = 1;  ///< intra-op threads of a trial
  std::uint64_t seed = 0;
  /// Trials are forked from a process that holds model and data, where that is possible: with one thread, on the CPU.
  bool warm = true;
};

/// The canonical JSON form (camelCase, absolute paths, every default written out). What lathe-trial reads.
[[nodiscard]] nlohmann::ordered_json to_json(const CompressionConfig& config);

/// Parses the canonical form back (paths absolute, the disk is not asked). parse_experiment_config reads the block
/// inside a config by the same rules, and looks its paths up.
[[nodiscard]] Checked<CompressionConfig> parse_compression_config(const nlohmann::ordered_json& json);

}  // namespace lathe::proto

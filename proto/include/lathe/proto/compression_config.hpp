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

/// Two NumPy files: inputs [N, …] and targets [N] or [N, …].
struct NpyFiles {
  std::filesystem::path inputs;
  std::filesystem::path targets;
};

/// A folder with one folder of JPEG or PNG images per class; the classes are numbered in the order of their names.
struct ImageFolder {
  std::filesystem::path folder;
};

/// Half-open range of the records of the files, for splitting one file into train and test parts.
struct RecordRange {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end;  ///< none: to the last record
};

/// One part of a data set: the files of the format the data set names, and which of their records.
struct DataPart {
  std::variant<IdxFiles, CifarFiles, TensorFile, NpyFiles, ImageFolder> source;
  RecordRange range;
};

enum class DataFormat { Idx, Cifar10, Cifar100, Tensor, Npy, Images };

/// Height and width in pixels, both > 0.
struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Random changes of the images that are trained on, drawn anew for each record and epoch.
struct AugmentConfig {
  std::optional<ImageSize> random_crop;  ///< a part of this size, at a random place
  std::int64_t padding = 0;              ///< zero pixels put on each side before a random crop
  bool horizontal_flip = false;          ///< every other image is mirrored
};

/// Train and test parts. Integer pixels are scaled to [0, 1], then normalised per channel as (x - mean) / std.
struct DataConfig {
  DataFormat format = DataFormat::Idx;
  DataPart train;
  DataPart test;
  std::vector<double> mean;  ///< per channel; empty: not normalised
  std::vector<double> std;   ///< per channel, > 0; same length as `mean`
  /// Format Images only. One number: of the shorter side, the aspect ratio is kept. Two: height and width. Empty: none.
  std::vector<std::int64_t> resize;
  std::optional<ImageSize> crop;  ///< of the centre, wherever augment.random_crop does not cut
  AugmentConfig augment;          ///< of the train part
};

enum class EvaluationMetric { Accuracy, Loss };

struct EvaluationConfig {
  EvaluationMetric metric = EvaluationMetric::Accuracy;
  std::int64_t batch_size = 256;
};

enum class OptimizerKind { Sgd, Adam, AdamW };

enum class LearningRateKind { Constant, Step, Multistep, Cosine };

/// How the learning rate changes; epochs count from 0.
struct ScheduleConfig {
  LearningRateKind kind = LearningRateKind::Constant;
  std::int64_t step_size = 1;            ///< Step: multiplied by gamma after each so many epochs
  double gamma = 0.1;                    ///< Step and Multistep, > 0 and <= 1
  std::vector<std::int64_t> milestones;  ///< Multistep: the epochs with which it is multiplied by gamma, ascending
  double min_learning_rate = 0;          ///< Cosine: where it ends
  std::int64_t warmup_epochs = 0;        ///< it rises linearly over these first; one of the two is 0
  std::int64_t warmup_steps = 0;         ///< the same, in batches
};

/// How an optimizer moves weights.
struct OptimizationConfig {
  OptimizerKind optimizer = OptimizerKind::Sgd;
  /// momentum, weight_decay, nesterov (0/1), dampening; beta1, beta2, eps
  std::map<std::string, double> optimizer_args;
  double learning_rate = 0.01;
  std::int64_t batch_size = 64;
  ScheduleConfig schedule;
  std::optional<double> clip_norm;   ///< largest L2 norm of all gradients together, > 0
  std::optional<double> clip_value;  ///< largest magnitude of each gradient, > 0
};

/// CrossEntropy takes logits, log-probabilities and probabilities alike; Nll takes outputs as log-probabilities.
enum class LossKind { CrossEntropy, Nll, Mse, BceWithLogits };

/// Whether targets are class indices: true of CrossEntropy and Nll.
[[nodiscard]] bool tells_classes_apart(LossKind loss);

/// Learning from the original model's outputs too: Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
/// loss = alpha T² KL(original / T || model / T) + (1 - alpha) loss of the targets.
struct DistillationConfig {
  double temperature = 4;  ///< T, > 0
  double alpha = 0.5;      ///< 0 to 1
};

/// Training ends after `patience` epochs in which the evaluation metric did not improve by more than `min_delta`.
struct EarlyStopConfig {
  std::int64_t patience = 1;
  double min_delta = 0;
};

/// Fine-tuning after (or, for AGP, during) compression.
struct FinetuningConfig : OptimizationConfig {
  std::int64_t epochs = 1;                         ///< 0: no fine-tuning
  LossKind loss = LossKind::CrossEntropy;          ///< also what the metric `loss` is
  double label_smoothing = 0;                      ///< CrossEntropy and Nll: >= 0 and < 1
  std::optional<DistillationConfig> distillation;  ///< CrossEntropy and Nll
  std::optional<EarlyStopConfig> early_stop;
  bool restore_best = false;       ///< go back to the epoch with the best evaluation metric
  bool freeze_batch_norm = false;  ///< batch norms keep their statistics while training
};

/// The training that is a part of an algorithm (Slim's regularised epochs, ADMM's, a lottery ticket's rounds).
struct SparsifyingConfig : OptimizationConfig {
  std::optional<std::int64_t> epochs;  ///< none: as many as the algorithm has by default
};

/// The records that quantizers and activation-based pruners look at: the first ones of the train part.
struct CalibrationConfig {
  std::int64_t batches = 32;
  std::int64_t batch_size = 64;
};

/// What `default` of the final metric is. All are larger-is-better except Loss, Parameters, Macs, the bytes and
/// LatencyMs.
enum class ObjectiveMetric {
  Accuracy,
  Loss,
  Sparsity,
  Speedup,
  Parameters,
  Macs,
  SizeBytes,
  EffectiveBytes,
  LatencyMs
};

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

/// How pruned filters are cut out.
struct SpeedupConfig {
  std::int64_t round_to = 1;  ///< layers keep a multiple of so many filters, or all
};

/// Which files a trial leaves beside compressed.pt and report.json.
struct ExportConfig {
  bool int8 = true;        ///< int8.pt, of quantizers: runs in 8-bit integers
  bool onnx = true;        ///< compressed.onnx, with QuantizeLinear and DequantizeLinear of quantizers
  bool state_dict = true;  ///< model.pth, and of pruners mask.pth: NNI's export_model
};

struct CompressionConfig {
  std::filesystem::path model;            ///< TorchScript file
  std::vector<std::int64_t> input_shape;  ///< of one example batch, e.g. [1, 1, 28, 28]; every size > 0
  DataConfig data;
  EvaluationConfig evaluation;
  FinetuningConfig finetuning;
  std::optional<SparsifyingConfig> sparsifying;  ///< none: see sparsifying_of
  CalibrationConfig calibration;
  ObjectiveConfig objective;
  LatencyConfig latency;
  SpeedupConfig speedup;
  ExportConfig exports;  ///< key `export`
  /// Fixed config_list entries, appended behind those that the parameters give: they have the last word.
  nlohmann::ordered_json config_list = nlohmann::ordered_json::array();
  std::string device = "cpu";  ///< cpu, cuda, cuda:N, or auto: cuda where there is one
  std::int64_t threads = 1;    ///< intra-op threads of a trial
  std::uint64_t seed = 0;
  /// Trials are forked from a process that holds model and data, where that is possible: with one thread, on the CPU.
  bool warm = true;
};

/// `sparsifying`, or where there is none the fine-tuning's optimizer, batch size and clipping at a constant learning
/// rate.
[[nodiscard]] SparsifyingConfig sparsifying_of(const CompressionConfig& config);

/// The canonical JSON form (camelCase, absolute paths, every default written out). What lathe-trial reads.
[[nodiscard]] nlohmann::ordered_json to_json(const CompressionConfig& config);

/// Parses the canonical form back (paths absolute, the disk is not asked). parse_experiment_config reads the block
/// inside a config by the same rules, and looks its paths up.
[[nodiscard]] Checked<CompressionConfig> parse_compression_config(const nlohmann::ordered_json& json);

}  // namespace lathe::proto

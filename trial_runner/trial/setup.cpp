#include "setup.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/compression/device.hpp>
#include <lathe/compression/image_folder.hpp>
#include <lathe/compression/npy.hpp>

#include "json_file.hpp"

namespace lathe::trial {
namespace {

using compression::OptimizerOptions;
using proto::OptimizerKind;

struct OptimizerArgument {
  std::string_view name;
  bool sgd;   ///< SGD has it
  bool adam;  ///< Adam and AdamW have it
  void (*set)(OptimizerOptions& options, double value);
};

constexpr std::array kOptimizerArguments{
    OptimizerArgument{"momentum", true, false, [](OptimizerOptions& o, double value) { o.momentum = value; }},
    OptimizerArgument{"dampening", true, false, [](OptimizerOptions& o, double value) { o.dampening = value; }},
    OptimizerArgument{"nesterov", true, false, [](OptimizerOptions& o, double value) { o.nesterov = value != 0; }},
    OptimizerArgument{"weight_decay", true, true, [](OptimizerOptions& o, double value) { o.weight_decay = value; }},
    OptimizerArgument{"beta1", false, true, [](OptimizerOptions& o, double value) { o.beta1 = value; }},
    OptimizerArgument{"beta2", false, true, [](OptimizerOptions& o, double value) { o.beta2 = value; }},
    OptimizerArgument{"eps", false, true, [](OptimizerOptions& o, double value) { o.eps = value; }},
};

compression::Optimizer optimizer_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::Adam:
      return compression::Optimizer::Adam;
    case OptimizerKind::AdamW:
      return compression::Optimizer::AdamW;
    case OptimizerKind::Sgd:
      break;
  }
  return compression::Optimizer::Sgd;
}

Result<void> set_argument(const std::string& name, double value, OptimizerKind kind, OptimizerOptions& options) {
  std::vector<std::string_view> known;
  for (const OptimizerArgument& argument : kOptimizerArguments) {
    if (!(kind == OptimizerKind::Sgd ? argument.sgd : argument.adam)) continue;
    known.push_back(argument.name);
    if (argument.name != name) continue;
    if (value < 0) return fail(fmt::format("finetuning.optimizerArgs.{} is {}; expected 0 or more", name, value));
    argument.set(options, value);
    return {};
  }
  return fail(fmt::format("finetuning.optimizerArgs.{}: this optimizer has no such argument; it has {}", name,
                          fmt::join(known, ", ")));
}

compression::ImageSize size_of(const proto::ImageSize& size) {
  return {size.height, size.width};
}

/// The centre of this size where nothing cuts at random: both parts must end up with records of one shape.
std::optional<compression::ImageSize> crop_of(const proto::DataConfig& data) {
  if (data.crop) return size_of(*data.crop);
  if (data.augment.random_crop) return size_of(*data.augment.random_crop);
  return std::nullopt;
}

/// Loads the files of a part, whichever format they have.
class PartLoader {
 public:
  PartLoader(const proto::CompressionConfig& config, const proto::RecordRange& range)
      : config_(config), records_{range.begin, range.end}, normalization_{config.data.mean, config.data.std} {}

  Result<compression::Dataset> operator()(const proto::IdxFiles& files) const {
    return cut(compression::load_idx(files.images, files.labels, records_, normalization_));
  }
  Result<compression::Dataset> operator()(const proto::CifarFiles& files) const {
    const bool has_100 = config_.data.format == proto::DataFormat::Cifar100;
    const auto kind = has_100 ? compression::CifarKind::Cifar100 : compression::CifarKind::Cifar10;
    return cut(compression::load_cifar(files.batches, kind, records_, normalization_));
  }
  Result<compression::Dataset> operator()(const proto::TensorFile& file) const {
    return cut(compression::load_tensors(file.file, records_, normalization_));
  }
  Result<compression::Dataset> operator()(const proto::NpyFiles& files) const {
    return cut(compression::load_npy(files.inputs, files.targets, records_, normalization_));
  }
  Result<compression::Dataset> operator()(const proto::ImageFolder& images) const {
    compression::ImageFolderOptions options;
    if (config_.input_shape.size() > 1) options.channels = config_.input_shape[1];
    const auto& resize = config_.data.resize;
    if (resize.size() == 1) options.resize = {resize.front(), std::nullopt};
    if (resize.size() == 2) options.resize = {resize.front(), resize.back()};
    options.crop = crop_of(config_.data);
    return compression::load_images(images.folder, options, records_, normalization_);
  }

 private:
  [[nodiscard]] Result<compression::Dataset> cut(Result<compression::Dataset> data) const {
    const auto crop = crop_of(config_.data);
    if (!data || !crop) return data;
    return data->cropped(*crop);
  }

  const proto::CompressionConfig& config_;
  compression::Records records_;
  compression::Normalization normalization_;
};

compression::LearningRateKind schedule_kind(proto::LearningRateKind kind) {
  switch (kind) {
    case proto::LearningRateKind::Step:
      return compression::LearningRateKind::Step;
    case proto::LearningRateKind::Multistep:
      return compression::LearningRateKind::MultiStep;
    case proto::LearningRateKind::Cosine:
      return compression::LearningRateKind::Cosine;
    case proto::LearningRateKind::Constant:
      break;
  }
  return compression::LearningRateKind::Constant;
}

compression::LearningRateSchedule schedule_of(const proto::ScheduleConfig& config) {
  compression::LearningRateSchedule schedule;
  schedule.kind = schedule_kind(config.kind);
  schedule.step_size = config.step_size;
  schedule.gamma = config.gamma;
  schedule.milestones = config.milestones;
  schedule.min_learning_rate = config.min_learning_rate;
  schedule.warmup_epochs = config.warmup_epochs;
  schedule.warmup_steps = config.warmup_steps;
  return schedule;
}

/// What fine-tuning and sparsifying have in common.
Result<compression::TrainingOptions> optimization_options(const proto::CompressionConfig& config,
                                                          const proto::OptimizationConfig& optimization) {
  compression::TrainingOptions options;
  options.batch_size = optimization.batch_size;
  options.seed = config.seed;
  options.optimizer.kind = optimizer_of(optimization.optimizer);
  options.optimizer.learning_rate = optimization.learning_rate;
  for (const auto& [name, value] : optimization.optimizer_args) {
    if (auto set = set_argument(name, value, optimization.optimizer, options.optimizer); !set) {
      return tl::unexpected(set.error());
    }
  }
  options.schedule = schedule_of(optimization.schedule);
  options.clip_norm = optimization.clip_norm;
  options.clip_value = optimization.clip_value;
  options.loss = {loss_of(config), config.finetuning.label_smoothing};
  options.freeze_batch_norm = config.finetuning.freeze_batch_norm;
  const auto device = compression::find_device(config.device);
  if (!device) return tl::unexpected(device.error());
  options.device = *device;
  return options;
}

Result<void> check_classes(const compression::Dataset& train, const compression::Dataset& test) {
  const auto& ours = train.class_names();
  const auto& theirs = test.class_names();
  if (ours == theirs) return {};
  const auto [our, their] = std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
  const auto name = [](auto it, const auto& names) { return it == names.end() ? "none" : *it; };
  return fail(fmt::format("data.train and data.test have different classes: class {} is {} in one and {} in the other",
                          our - ours.begin(), name(our, ours), name(their, theirs)));
}

Result<void> check_shape(const proto::CompressionConfig& config, const compression::Dataset& data,
                         std::string_view part) {
  const auto& shape = config.input_shape;
  const auto record = data.record_shape();
  if (shape.size() == record.size() + 1 && std::equal(record.begin(), record.end(), shape.begin() + 1)) return {};
  return fail(fmt::format("inputShape is [{}], but a record of data.{} has shape [{}]; expected [N, {}]",
                          fmt::join(shape, ", "), part, fmt::join(record, ", "), fmt::join(record, ", ")));
}

}  // namespace

Result<proto::CompressionConfig> read_compression_config(const std::filesystem::path& file) {
  const auto json = read_json(file);
  if (!json) return tl::unexpected(json.error());
  auto config = proto::parse_compression_config(*json);
  if (!config) return fail_in(file.string(), config.error());
  return std::move(*config);
}

Result<compression::Dataset> load_data(const proto::CompressionConfig& config, Part part) {
  const proto::DataPart& files = part == Part::Train ? config.data.train : config.data.test;
  auto data = std::visit(PartLoader(config, files.range), files.source);
  const proto::AugmentConfig& augment = config.data.augment;
  if (!data || part == Part::Test || (!augment.random_crop && !augment.horizontal_flip)) return data;
  return data->augmented({augment.random_crop.has_value(), augment.padding, augment.horizontal_flip});
}

Result<Setup> load_setup(const proto::CompressionConfig& config) {
  if (auto device = compression::find_device(config.device); !device) return tl::unexpected(device.error());
  auto model = compression::load_model(config.model);
  if (!model) return tl::unexpected(model.error());
  auto train = load_data(config, Part::Train);
  if (!train) return fail("data.train: " + train.error().message);
  auto test = load_data(config, Part::Test);
  if (!test) return fail("data.test: " + test.error().message);
  if (auto fits = check_shape(config, *train, "train"); !fits) return tl::unexpected(fits.error());
  if (auto fits = check_shape(config, *test, "test"); !fits) return tl::unexpected(fits.error());
  if (auto fits = check_classes(*train, *test); !fits) return tl::unexpected(fits.error());
  return Setup{config, std::move(*model), std::move(*train), std::move(*test)};
}

Result<compression::TrainingOptions> training_options(const proto::CompressionConfig& config) {
  const proto::FinetuningConfig& finetuning = config.finetuning;
  auto options = optimization_options(config, finetuning);
  if (!options) return options;
  options->epochs = finetuning.epochs;
  options->restore_best = finetuning.restore_best;
  if (finetuning.early_stop) {
    options->early_stop = {finetuning.early_stop->patience, finetuning.early_stop->min_delta};
  }
  return options;
}

Result<compression::TrainingOptions> training_options(const Setup& setup) {
  auto options = training_options(setup.config);
  const auto& distillation = setup.config.finetuning.distillation;
  if (!options || !distillation) return options;
  options->distillation = {compression::copy_model(setup.model), distillation->temperature, distillation->alpha};
  return options;
}

Result<compression::TrainingOptions> sparsifying_options(const proto::CompressionConfig& config,
                                                         std::int64_t algorithm_epochs) {
  const proto::SparsifyingConfig sparsifying = proto::sparsifying_of(config);
  auto options = optimization_options(config, sparsifying);
  if (options) options->epochs = sparsifying.epochs.value_or(algorithm_epochs);
  return options;
}

compression::SpeedupOptions speedup_of(const proto::CompressionConfig& config) {
  compression::SpeedupOptions options;
  options.round_to = config.speedup.round_to;
  return options;
}

compression::LossKind loss_of(const proto::CompressionConfig& config) {
  switch (config.finetuning.loss) {
    case proto::LossKind::Nll:
      return compression::LossKind::Nll;
    case proto::LossKind::Mse:
      return compression::LossKind::Mse;
    case proto::LossKind::BceWithLogits:
      return compression::LossKind::BceWithLogits;
    case proto::LossKind::CrossEntropy:
      break;
  }
  return compression::LossKind::CrossEntropy;
}

double judged_value(const compression::Evaluation& quality, const proto::CompressionConfig& config) {
  const bool by_loss = config.evaluation.metric == proto::EvaluationMetric::Loss || !quality.accuracy;
  return by_loss ? -quality.loss : *quality.accuracy;
}

at::Tensor example_inputs(const compression::Dataset& data, std::int64_t count) {
  return data.slice(0, std::min(count, data.size())).inputs;
}

}  // namespace lathe::trial

#include "setup.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

/// Loads the files of a part, whichever format they have.
struct PartLoader {
  proto::DataFormat format;
  compression::Records records;
  compression::Normalization normalization;

  Result<compression::Dataset> operator()(const proto::IdxFiles& files) const {
    return compression::load_idx(files.images, files.labels, records, normalization);
  }
  Result<compression::Dataset> operator()(const proto::CifarFiles& files) const {
    const auto kind =
        format == proto::DataFormat::Cifar100 ? compression::CifarKind::Cifar100 : compression::CifarKind::Cifar10;
    return compression::load_cifar(files.batches, kind, records, normalization);
  }
  Result<compression::Dataset> operator()(const proto::TensorFile& file) const {
    return compression::load_tensors(file.file, records, normalization);
  }
  Result<compression::Dataset> operator()(const proto::NpyFiles& files) const {
    return fail(fmt::format("{}: this build has no reader of NumPy files", files.inputs.string()));
  }
  Result<compression::Dataset> operator()(const proto::ImageFolder& images) const {
    return fail(fmt::format("{}: this build has no reader of image folders", images.folder.string()));
  }
};

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

Result<compression::Dataset> load_data(const proto::DataConfig& data, const proto::DataPart& part) {
  return std::visit(PartLoader{data.format, {part.range.begin, part.range.end}, {data.mean, data.std}}, part.source);
}

Result<Setup> load_setup(const proto::CompressionConfig& config) {
  auto model = compression::load_model(config.model);
  if (!model) return tl::unexpected(model.error());
  auto train = load_data(config.data, config.data.train);
  if (!train) return fail("data.train: " + train.error().message);
  auto test = load_data(config.data, config.data.test);
  if (!test) return fail("data.test: " + test.error().message);
  if (auto fits = check_shape(config, *train, "train"); !fits) return tl::unexpected(fits.error());
  if (auto fits = check_shape(config, *test, "test"); !fits) return tl::unexpected(fits.error());
  return Setup{config, std::move(*model), std::move(*train), std::move(*test)};
}

Result<compression::TrainingOptions> training_options(const proto::CompressionConfig& config) {
  compression::TrainingOptions options;
  options.epochs = config.finetuning.epochs;
  options.batch_size = config.finetuning.batch_size;
  options.seed = config.seed;
  options.optimizer.kind = optimizer_of(config.finetuning.optimizer);
  options.optimizer.learning_rate = config.finetuning.learning_rate;
  for (const auto& [name, value] : config.finetuning.optimizer_args) {
    if (auto set = set_argument(name, value, config.finetuning.optimizer, options.optimizer); !set) {
      return tl::unexpected(set.error());
    }
  }
  return options;
}

at::Tensor example_inputs(const compression::Dataset& data, std::int64_t count) {
  return data.slice(0, std::min(count, data.size())).inputs;
}

}  // namespace lathe::trial

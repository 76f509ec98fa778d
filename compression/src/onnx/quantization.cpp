#include <lathe/compression/onnx_quantization.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <lathe/compression/quant_folding.hpp>

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;

/// Thrown inside, an Error outside.
class BadField : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads one layer's fields of calibration_config.
class Fields {
 public:
  Fields(const std::string& layer, const Json& fields) : layer_(layer), fields_(fields) {}

  [[nodiscard]] std::vector<float> floats(const std::string& key) const {
    std::vector<float> values;
    for (const Json& entry : entries(key)) {
      if (!entry.is_number() || !std::isfinite(entry.get<float>())) bad(key, "expected finite numbers");
      values.push_back(entry.get<float>());
    }
    return values;
  }

  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& key) const {
    std::vector<std::int64_t> values;
    for (const Json& entry : entries(key)) {
      if (!entry.is_number_integer()) bad(key, "expected integers");
      values.push_back(entry.get<std::int64_t>());
    }
    return values;
  }

  [[nodiscard]] int bits(const std::string& kind) const {
    const auto values = integers(kind + "_bits");
    if (values.size() != 1 || values[0] < 1 || values[0] > 31) bad(kind + "_bits", "expected 1 to 31");
    return static_cast<int>(values[0]);
  }

  [[noreturn]] void bad(const std::string& key, const std::string& expected) const {
    throw BadField(fmt::format("the calibration's field `{}` of layer `{}`: {}", key, layer_, expected));
  }

 private:
  /// A number stands for a list of one.
  [[nodiscard]] std::vector<Json> entries(const std::string& key) const {
    if (!fields_.is_object() || !fields_.contains(key)) bad(key, "it is missing");
    const Json& value = fields_.at(key);
    if (!value.is_array()) return {value};
    if (value.empty()) bad(key, "the list is empty");
    return {value.begin(), value.end()};
  }

  std::string layer_;
  const Json& fields_;
};

QuantLevels signed_levels(int bits) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  return {-half, half - 1};
}

/// Builds the tensors of one layer after another.
class Assembler {
 public:
  Assembler(QuantizerKind kind, const QuantizerOptions& options, const torch::jit::Module& model)
      : kind_(kind), layers_(modules_of(model)) {
    if (kind != QuantizerKind::Qat || !options.fold_batch_norm) return;
    auto tapped = TappedModel::create(model);
    if (tapped) pairs_ = foldable_pairs(**tapped);
  }

  void add(const QuantizedLayer& layer, const Json& calibration) {
    const std::string& name = layer.layer.name;
    if (!calibration.is_object()) throw BadField("the calibration is no JSON object");
    const auto fold =
        std::find_if(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.convolution == name; });
    const bool folded = fold != pairs_.end();
    if (layer.target.weight) add_weight(layer, {name, at_layer(calibration, name)});
    if (layer.target.weight && folded) result_.folded.push_back({fold->convolution, fold->batch_norm});
    if (layer.target.input) {
      add_activation(name, TapPlace::Input, *layer.target.input, {name, at_layer(calibration, name)});
    }
    if (!layer.target.output) return;
    const std::string& place = folded ? fold->batch_norm : name;
    add_activation(place, TapPlace::Output, *layer.target.output, {place, output_fields(calibration, name, place)});
  }

  [[nodiscard]] OnnxQuantization take() { return std::move(result_); }

 private:
  static const Json& at_layer(const Json& calibration, const std::string& name) {
    if (!calibration.contains(name)) throw BadField(fmt::format("the calibration has no layer `{}`", name));
    return calibration.at(name);
  }

  /// The output of a folded convolution is tapped at its normalisation but described under the convolution's name.
  static const Json& output_fields(const Json& calibration, const std::string& layer, const std::string& place) {
    return at_layer(calibration, calibration.contains(layer) ? layer : place);
  }

  [[nodiscard]] at::Tensor weight_of(const QuantizedLayer& layer) const {
    const auto found =
        std::find_if(layers_.begin(), layers_.end(), [&](const Layer& one) { return one.name == layer.layer.name; });
    if (found == layers_.end() || !found->weight.defined()) {
      throw BadField(fmt::format("the model has no layer `{}` with a weight", layer.layer.name));
    }
    return found->weight.detach();
  }

  void add_weight(const QuantizedLayer& layer, const Fields& fields) {
    const at::Tensor weight = weight_of(layer);
    const std::int64_t axis = layer.layer.type.starts_with("ConvTranspose") ? 1 : 0;
    auto grid = weight_grid(fields, *layer.target.weight);
    if (!grid) return;
    grid->axis = axis;
    const auto channels = static_cast<std::size_t>(weight.dim() > axis ? weight.size(axis) : 1);
    if (grid->scale.size() != 1 && grid->scale.size() != channels) {
      fields.bad("weight_scale", fmt::format("{} values for {} channels", grid->scale.size(), channels));
    }
    for (const float scale : grid->scale)
      if (!(scale > 0)) fields.bad("weight_scale", "expected positive numbers");
    result_.tensors.push_back({layer.layer.name, TapPlace::Weight, *grid});
  }

  [[nodiscard]] std::optional<QuantGrid> weight_grid(const Fields& fields, const QuantSpec& spec) const {
    switch (kind_) {
      case QuantizerKind::Naive:
        return QuantGrid{fields.floats("weight_scale"), {0}, {-127, 127}};
      case QuantizerKind::Qat:
        return checked({fields.floats("weight_scale"), fields.integers("weight_zero_point"),
                        quant_levels(fields.bits("weight"), spec.dtype)},
                       fields, "weight_zero_point");
      case QuantizerKind::Lsq:
        return QuantGrid{fields.floats("weight_scale"), {0}, signed_levels(fields.bits("weight"))};
      case QuantizerKind::Bnn:
        return QuantGrid{{1}, {0}, {-1, 1}};
      case QuantizerKind::DoReFa:
        return dorefa_grid(fields.bits("weight"));
      case QuantizerKind::Observer:
        break;
    }
    return affine_grid(fields, "weight");
  }

  /// Levels 2 q / (2^k - 1) - 1 are the odd (and 2^k - 1 is odd) multiples of 1 / (2^k - 1).
  static std::optional<QuantGrid> dorefa_grid(int bits) {
    constexpr int kMostBits = 7;
    if (bits > kMostBits) return std::nullopt;
    const std::int64_t steps = (std::int64_t{1} << bits) - 1;
    return QuantGrid{{1.0F / static_cast<float>(steps)}, {0}, {-steps, steps}};
  }

  void add_activation(const std::string& layer, TapPlace place, const QuantSpec& spec, const Fields& fields) {
    const std::string kind = place == TapPlace::Input ? "input" : "output";
    if (kind_ == QuantizerKind::Bnn) {
      result_.tensors.push_back({layer, place, {}, true});
      return;
    }
    result_.tensors.push_back({layer, place, activation_grid(fields, kind, spec), false});
  }

  [[nodiscard]] QuantGrid activation_grid(const Fields& fields, const std::string& kind, const QuantSpec& spec) const {
    if (kind_ == QuantizerKind::Observer) return affine_grid(fields, kind);
    const auto min = fields.floats("tracked_min_" + kind);
    const auto max = fields.floats("tracked_max_" + kind);
    if (min.size() != max.size()) fields.bad("tracked_max_" + kind, "its length is not that of the minima");
    if (kind_ == QuantizerKind::Lsq) {
      const QuantLevels levels = signed_levels(fields.bits(kind));
      if (!(max[0] > 0)) fields.bad("tracked_max_" + kind, "expected a positive number");
      return {{max[0] / static_cast<float>(levels.max)}, {0}, levels};
    }
    std::vector<ValueRange> ranges;
    for (std::size_t i = 0; i < min.size(); ++i) ranges.push_back({min[i], max[i]});
    return quant_grid(ranges, {fields.bits(kind), spec.dtype, spec.scheme}, 1);
  }

  /// The observer tells the values at the ends of the levels.
  static QuantGrid affine_grid(const Fields& fields, const std::string& kind) {
    const auto min = fields.floats("tracked_min_" + kind);
    const auto max = fields.floats("tracked_max_" + kind);
    const std::int64_t low = fields.integers("tracked_qmin_" + kind).at(0);
    const std::int64_t high = fields.integers("tracked_qmax_" + kind).at(0);
    if (min.size() != max.size() || low >= high) fields.bad("tracked_max_" + kind, "it does not fit the other fields");
    QuantGrid grid{{}, {}, {low, high}, 1};
    for (std::size_t i = 0; i < min.size(); ++i) {
      const float scale = static_cast<float>((static_cast<double>(max[i]) - static_cast<double>(min[i])) /
                                             static_cast<double>(high - low));
      if (!(scale > 0)) fields.bad("tracked_max_" + kind, "expected more than the minimum");
      grid.scale.push_back(scale);
      grid.zero_point.push_back(low - static_cast<std::int64_t>(std::rint(min[i] / scale)));
    }
    return checked(grid, fields, "tracked_min_" + kind);
  }

  static QuantGrid checked(QuantGrid grid, const Fields& fields, const std::string& key) {
    if (grid.zero_point.size() != grid.scale.size()) fields.bad(key, "its length is not that of the scales");
    for (const std::int64_t zero : grid.zero_point)
      if (zero < grid.levels.min || zero > grid.levels.max) fields.bad(key, "the zero point is not one of the levels");
    return grid;
  }

  QuantizerKind kind_;
  std::vector<Layer> layers_;
  std::vector<FoldablePair> pairs_;
  OnnxQuantization result_;
};

}  // namespace

Result<OnnxQuantization> onnx_quantization(QuantizerKind kind, const QuantizerOptions& options,
                                           const std::vector<QuantizedLayer>& layers, const Json& calibration,
                                           const torch::jit::Module& model) {
  try {
    Assembler assembler(kind, options, model);
    for (const QuantizedLayer& layer : layers) assembler.add(layer, calibration);
    return assembler.take();
  } catch (const BadField& error) {
    return fail(error.what());
  }
}

}  // namespace lathe::compression

#include <lathe/compression/quantization.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "quantization/quantizers.hpp"
#include "quantization/settings.hpp"
#include "training/eval_mode.hpp"

namespace lathe::compression {
namespace {

bool is_trained(QuantizerKind kind) {
  return kind != QuantizerKind::Naive && kind != QuantizerKind::Observer;
}

bool exports_weights(QuantizerKind kind) {
  return kind != QuantizerKind::Qat && kind != QuantizerKind::Lsq;
}

std::optional<std::int64_t> weight_axis(const Layer& layer) {
  const std::int64_t axis = layer.type.starts_with("ConvTranspose") ? 1 : 0;
  if (!layer.weight.defined() || layer.weight.dim() <= axis) return std::nullopt;
  return axis;
}

/// True for as long as a scope lasts.
class Raised {
 public:
  explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
  ~Raised() { flag_ = false; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  bool& flag_;
};

/// What `action` throws, as an error. LibTorch's own come without their stack.
template <class Action>
Result<void> guarded(const std::string& what, Action action) {
  try {
    action();
    return {};
  } catch (const c10::Error& thrown) {
    return fail(fmt::format("{}: {}", what, thrown.what_without_backtrace()));
  } catch (const std::exception& thrown) {
    return fail(fmt::format("{}: {}", what, thrown.what()));
  }
}

/// The quantizers of one model, algorithm by algorithm.
class Factory {
 public:
  Factory(QuantizerKind kind, const QuantizerOptions& options, SharedProgress progress)
      : kind_(kind), options_(options), progress_(std::move(progress)) {}

  [[nodiscard]] TensorQuantizerPointer weight(const QuantizedLayer& layer, const FoldablePair* fold) const {
    const at::Tensor& weight = layer.layer.weight;
    const QuantSpec& spec = *layer.target.weight;
    TensorSite site = site_of(layer, TapPlace::Weight);
    switch (kind_) {
      case QuantizerKind::Naive:
        return naive_weight(std::move(site), progress_);
      case QuantizerKind::DoReFa:
        return dorefa_weight(std::move(site), progress_, spec.bits);
      case QuantizerKind::Bnn:
        return binary_weight(std::move(site), progress_, weight);
      case QuantizerKind::Lsq:
        return learnt_scale(std::move(site), progress_, spec.bits, weight);
      case QuantizerKind::Observer:
        return observed_weight(std::move(site), progress_, options_.observer, weight);
      case QuantizerKind::Qat:
        break;
    }
    return qat_weight(std::move(site), progress_, spec, layer.target.start_step, weight, fold);
  }

  [[nodiscard]] TensorQuantizerPointer activation(const QuantizedLayer& layer, TapPlace place) const {
    const QuantSpec& spec = place == TapPlace::Input ? *layer.target.input : *layer.target.output;
    TensorSite site = site_of(layer, place);
    switch (kind_) {
      case QuantizerKind::Bnn:
        return binary_output(std::move(site), progress_);
      case QuantizerKind::Lsq:
        return learnt_scale(std::move(site), progress_, spec.bits, {});
      case QuantizerKind::Observer:
        return observed_activation(std::move(site), progress_, options_.observer);
      case QuantizerKind::Naive:
      case QuantizerKind::DoReFa:
      case QuantizerKind::Qat:
        break;
    }
    return qat_activation(std::move(site), progress_, spec, layer.target.start_step);
  }

 private:
  static TensorSite site_of(const QuantizedLayer& layer, TapPlace place) {
    return {layer.layer.name, layer.layer.type, place, weight_axis(layer.layer)};
  }

  QuantizerKind kind_;
  const QuantizerOptions& options_;
  SharedProgress progress_;
};

const FoldablePair* pair_of(const std::vector<FoldablePair>& pairs, const std::string& convolution) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const FoldablePair& pair) { return pair.convolution == convolution; });
  return found == pairs.end() ? nullptr : &*found;
}

}  // namespace

struct Quantization::State {
  QuantizerKind kind;
  std::vector<QuantizedLayer> layers;
  std::vector<FoldablePair> folded;
  std::shared_ptr<TappedModel> tapped;
  std::shared_ptr<QuantProgress> progress;
  std::vector<TensorQuantizerPointer> quantizers;

  void tap(const std::string& layer, const TensorQuantizerPointer& quantizer) {
    quantizers.push_back(quantizer);
    tapped->add_tap(layer, quantizer->site().place, [quantizer](const at::Tensor& x) { return quantizer->pass(x); });
  }

  void tap_layer(const QuantizedLayer& layer, const Factory& factory) {
    const FoldablePair* fold = pair_of(folded, layer.layer.name);
    if (layer.target.weight) tap(layer.layer.name, factory.weight(layer, fold));
    if (layer.target.input) tap(layer.layer.name, factory.activation(layer, TapPlace::Input));
    if (!layer.target.output) return;
    tap(fold != nullptr ? fold->batch_norm : layer.layer.name, factory.activation(layer, TapPlace::Output));
  }

  [[nodiscard]] const at::Tensor& weight_of(const std::string& name) const {
    return std::find_if(layers.begin(), layers.end(),
                        [&](const QuantizedLayer& each) { return each.layer.name == name; })
        ->layer.weight;
  }

  [[nodiscard]] TensorGrid grid_of(const TensorQuantizer& quantizer) const {
    const TensorSite& site = quantizer.site();
    const auto layer = std::find_if(layers.begin(), layers.end(),
                                    [&](const QuantizedLayer& each) { return each.layer.name == site.layer; });
    const FoldablePair* fold = pair_of(folded, site.layer);
    TensorGrid row;
    row.layer = row.tapped = site.layer;
    row.place = site.place;
    row.grid = quantizer.grid();
    if (site.place == TapPlace::Weight) {
      row.bits = layer->target.weight->bits;
      row.batch_norm_folded = fold != nullptr;
    } else {
      row.bits = (site.place == TapPlace::Input ? layer->target.input : layer->target.output)->bits;
      row.is_sign = kind == QuantizerKind::Bnn;
      if (site.place == TapPlace::Output && fold != nullptr) row.tapped = fold->batch_norm;
    }
    return row;
  }

  [[nodiscard]] Result<void> check_ready() const {
    for (const auto& quantizer : quantizers) {
      if (quantizer->ready()) continue;
      return fail(fmt::format("the range of {} was never seen: {}", quantizer->site().text(),
                              kind == QuantizerKind::Observer ? "the quantizer has to be calibrated on data"
                                                              : "train for an epoch or calibrate on data first"));
    }
    return {};
  }
};

Quantization::Quantization(std::unique_ptr<State> state) : state_(std::move(state)) {}
Quantization::~Quantization() = default;

Result<std::unique_ptr<Quantization>> Quantization::create(QuantizerKind kind, const QuantizerOptions& options,
                                                           std::vector<QuantizedLayer> layers,
                                                           std::shared_ptr<TappedModel> tapped) {
  if (auto checked = check_settings(kind, layers, tap_sites_of(tapped->graph())); !checked) {
    return tl::unexpected(checked.error());
  }
  auto progress = std::make_shared<QuantProgress>(QuantProgress{tapped->graph().model()});
  auto state = std::make_unique<State>(State{kind, std::move(layers), {}, std::move(tapped), progress, {}});
  if (kind == QuantizerKind::Qat && options.fold_batch_norm) state->folded = foldable_pairs(*state->tapped);
  const Factory factory(kind, options, progress);
  for (const QuantizedLayer& layer : state->layers) state->tap_layer(layer, factory);
  return std::unique_ptr<Quantization>(new Quantization(std::move(state)));
}

bool Quantization::trains() const {
  return is_trained(state_->kind);
}

bool Quantization::needs_calibration() const {
  return state_->kind == QuantizerKind::Observer &&
         std::any_of(state_->quantizers.begin(), state_->quantizers.end(),
                     [](const auto& quantizer) { return quantizer->site().place != TapPlace::Weight; });
}

Result<void> Quantization::calibrate(const Network& network, const Dataset& data, std::int64_t batch_size,
                                     std::int64_t batches) {
  if (batch_size < 1 || batches < 1) {
    return fail(fmt::format("calibration on {} batches of {}; expected 1 or more of both", batches, batch_size));
  }
  const c10::NoGradGuard no_grad;
  const EvalMode eval_mode(network.model());
  const Raised calibrating(state_->progress->calibrating);
  auto ran = guarded("calibration failed", [&] {
    for (std::int64_t batch = 0; batch < batches && batch * batch_size < data.size(); ++batch) {
      const std::int64_t begin = batch * batch_size;
      (void)network.forward(data.slice(begin, std::min(begin + batch_size, data.size())).inputs);
    }
    for (const auto& quantizer : state_->quantizers) quantizer->freeze();
  });
  return ran ? state_->check_ready() : ran;
}

std::vector<at::Tensor> Quantization::extra_parameters() {
  std::vector<at::Tensor> scales;
  for (const auto& quantizer : state_->quantizers) {
    if (const at::Tensor scale = quantizer->learnt(); scale.defined()) scales.push_back(scale);
  }
  return scales;
}

void Quantization::step() {
  ++state_->progress->steps;
  for (const auto& quantizer : state_->quantizers) quantizer->after_step();
}

bool Quantization::is_settled(std::int64_t /*epoch*/) const {
  const auto is_delayed = [this](const QuantizedLayer& layer) {
    return state_->progress->before(layer.target.start_step);
  };
  return std::none_of(state_->layers.begin(), state_->layers.end(), is_delayed);
}

std::function<void()> Quantization::remember() {
  std::vector<std::function<void()>> all;
  for (const auto& quantizer : state_->quantizers) {
    if (auto one = quantizer->remember()) all.push_back(std::move(one));
  }
  return [all = std::move(all)] {
    for (const auto& restore : all) restore();
  };
}

Result<void> Quantization::finish() {
  state_->progress->finished = true;
  return state_->check_ready();
}

Result<void> Quantization::write_weights(const torch::jit::Module& model) const {
  if (!exports_weights(state_->kind)) return {};
  const c10::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> weights;
  for (const Layer& layer : layers_of(model)) weights[layer.name] = layer.weight;
  for (const auto& quantizer : state_->quantizers) {
    if (quantizer->site().place != TapPlace::Weight) continue;
    const at::Tensor& weight = weights[quantizer->site().layer];
    if (!weight.defined()) {
      return fail(fmt::format("the model to be saved has not {}, which was quantized", quantizer->site().text()));
    }
    auto written =
        guarded("a quantized weight cannot be saved", [&] { weight.detach().copy_(quantizer->pass(weight.detach())); });
    if (!written) return written;
  }
  return {};
}

nlohmann::ordered_json Quantization::calibration_config() const {
  nlohmann::ordered_json config = nlohmann::ordered_json::object();
  for (const auto& quantizer : state_->quantizers) quantizer->describe(config[quantizer->site().layer]);
  return config;
}

Result<std::vector<TensorGrid>> Quantization::grids() const {
  const c10::NoGradGuard no_grad;
  const EvalMode eval_mode(state_->progress->model);
  std::vector<TensorGrid> rows;
  auto read = guarded("the grids of a quantized model cannot be read", [&] {
    for (const auto& quantizer : state_->quantizers) {
      const TensorSite& site = quantizer->site();
      at::Tensor weight;
      if (site.place == TapPlace::Weight) weight = quantizer->pass(state_->weight_of(site.layer).detach()).clone();
      rows.push_back(state_->grid_of(*quantizer));
      rows.back().weight = weight;
    }
  });
  if (!read) return tl::unexpected(read.error());
  return rows;
}

std::vector<QuantizedLayerSummary> Quantization::summary() const {
  const auto bits = [](const std::optional<QuantSpec>& spec) {
    return spec ? std::optional<int>(spec->bits) : std::nullopt;
  };
  std::vector<QuantizedLayerSummary> rows;
  for (const QuantizedLayer& layer : state_->layers) {
    const at::Tensor& weight = layer.layer.weight;
    rows.push_back({layer.layer.name, layer.layer.type, bits(layer.target.weight), bits(layer.target.input),
                    bits(layer.target.output), weight.defined() ? weight.numel() : 0,
                    pair_of(state_->folded, layer.layer.name) != nullptr});
  }
  return rows;
}

}  // namespace lathe::compression

#include "steps/quantize.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <lathe/compression/int8.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/onnx_quantization.hpp>
#include <lathe/compression/quantization.hpp>

#include "steps/finetune.hpp"

namespace lathe::trial {
namespace {

using compression::Network;
using compression::Quantization;
using Json = nlohmann::ordered_json;

Json to_json(const compression::QuantizedLayerSummary& layer) {
  Json json{{"layer", layer.layer}, {"type", layer.type}};
  if (layer.weight_bits) json["weight_bits"] = *layer.weight_bits;
  if (layer.input_bits) json["input_bits"] = *layer.input_bits;
  if (layer.output_bits) json["output_bits"] = *layer.output_bits;
  json["batch_norm_folded"] = layer.batch_norm_folded;
  return json;
}

/// Ranges from data: what the observer lives of, and what QAT and LSQ begin with.
Result<void> calibrate(Quantization& quantization, const Network& network, const Workshop& workshop) {
  const auto& calibration = workshop.setup.config.calibration;
  return quantization.calibrate(network, workshop.setup.train, calibration.batch_size, calibration.batches);
}

/// DoReFa and BNN stretch weights to [-1, 1], so outputs and gradients grow by orders of magnitude with every layer,
/// and a learning rate that suits the float model would throw the weights far away.
void tame_gradients(compression::QuantizerKind kind, compression::TrainingOptions& finetuning) {
  const bool stretches = kind == compression::QuantizerKind::DoReFa || kind == compression::QuantizerKind::Bnn;
  if (stretches && !finetuning.clip_norm && !finetuning.clip_value) finetuning.clip_norm = 1;
}

Json to_json(const compression::Int8Step& step) {
  Json json{{"name", step.name}};
  if (!step.type.empty()) json["type"] = step.type;
  json["precision"] = step.int8 ? "int8" : "float";
  if (!step.int8) json["reason"] = step.reason;
  return json;
}

Json to_json(const compression::Int8Model& made) {
  Json json{{"engine", made.engine},
            {"reduced_range", made.reduced_range},
            {"observed_ranges", made.observed_ranges},
            {"max_difference", made.max_difference},
            {"mean_difference", made.mean_difference},
            {"layers", Json::array()},
            {"float_operators", Json::array()}};
  for (const auto& step : made.layers) json["layers"].push_back(to_json(step));
  for (const auto& step : made.operators) json["float_operators"].push_back(to_json(step));
  return json;
}

/// A model that cannot run in int8 is no reason to fail: the report says why.
void add_int8(const compression::TappedModel& tapped, const Quantization& quantization, const Workshop& workshop,
              Compressed& result) {
  const auto& config = workshop.setup.config;
  if (!config.exports.int8) return;
  const std::int64_t latency_batch = example_inputs(workshop.setup.test, config.latency.batch_size).size(0);
  auto made = compression::to_int8(tapped, quantization, workshop.setup.train,
                                   {config.calibration.batches, config.calibration.batch_size, {}, latency_batch});
  if (!made) {
    result.details["int8"] = {{"skipped", made.error().message}};
    workshop.say(made.error().message);
    return;
  }
  result.details["int8"] = to_json(*made);
  result.int8 = std::move(*made);
}

}  // namespace

Result<Compressed> quantize(const QuantizationPlan& plan, Workshop& workshop) {
  auto tapped = compression::TappedModel::create(workshop.model);
  if (!tapped) return tl::unexpected(tapped.error());
  const std::shared_ptr<compression::TappedModel> shared = std::move(*tapped);
  auto quantization = Quantization::create(plan.kind, plan.options, plan.layers, shared);
  if (!quantization) return tl::unexpected(quantization.error());
  const Network network(shared);
  if (auto calibrated = calibrate(**quantization, network, workshop); !calibrated)
    return tl::unexpected(calibrated.error());
  const auto before = judge(network, workshop);
  if (!before) return tl::unexpected(before.error());
  tame_gradients(plan.kind, workshop.finetuning);
  auto trained =
      (*quantization)->trains() ? finetune(network, quantization->get(), workshop) : (*quantization)->finish();
  if (!trained) return tl::unexpected(trained.error());
  workshop.model.eval();

  const torch::jit::Module saved = compression::copy_model(workshop.model);
  if (auto written = (*quantization)->write_weights(saved); !written) return tl::unexpected(written.error());
  Compressed result{saved, network};
  result.simulated = true;
  result.before_finetuning = *before;
  result.details["calibration"] = (*quantization)->calibration_config();
  for (const auto& layer : (*quantization)->summary()) {
    if (layer.weight_bits) result.weight_bits[layer.layer] = *layer.weight_bits;
    result.details["quantized"].push_back(to_json(layer));
  }
  add_int8(*shared, **quantization, workshop, result);
  auto grids =
      compression::onnx_quantization(plan.kind, plan.options, plan.layers, result.details["calibration"], saved);
  if (!grids) return tl::unexpected(grids.error());
  result.grids = std::move(*grids);
  return result;
}

}  // namespace lathe::trial

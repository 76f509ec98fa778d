// From a plan to a compressed, fine-tuned model.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/int8.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/onnx_quantization.hpp>
#include <lathe/compression/tapped_model.hpp>
#include <lathe/compression/trainer.hpp>

#include "algorithms/plan.hpp"
#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

/// What compressing may use of its trial.
struct Workshop {
  const Setup& setup;
  torch::jit::Module model;  ///< the trial's own copy; compressed in place
  at::Tensor example;        ///< a batch of the test part
  compression::TrainingOptions finetuning;
  compression::TrainingOptions sparsifying;  ///< training that is a part of the algorithm
  std::function<void(const std::string&)> say;
  std::function<void(const compression::TrainingProgress&)> after_batch;
  /// After each epoch of fine-tuning, with how good the network is then.
  std::function<Result<void>(const compression::TrainingProgress&, const compression::Evaluation&)> after_epoch;
};

/// What compressing leaves behind.
struct Compressed {
  torch::jit::Module model;     ///< masked, or with its weights on their grid: what is made smaller and saved
  compression::Network judged;  ///< what is evaluated: the model, or its simulation with quantized activations
  bool simulated = false;       ///< the two differ
  compression::Masks masks = {};
  bool structured = false;                          ///< whole channels are masked, so that speed-up can cut them
  std::map<std::string, int> weight_bits = {};      ///< of quantized layers
  std::optional<compression::Int8Model> int8 = {};  ///< of a quantized model that can run so
  std::optional<compression::OnnxQuantization> grids = {};            ///< of a quantized model, for its ONNX file
  std::optional<compression::Evaluation> before_finetuning = {};      ///< where compression comes before fine-tuning
  nlohmann::ordered_json details = nlohmann::ordered_json::object();  ///< what the report adds about the algorithm
};

[[nodiscard]] Result<Compressed> compress(const Plan& plan, Workshop& workshop);

}  // namespace lathe::trial

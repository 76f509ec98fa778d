// From a simulated quantization to a model that computes with 8-bit integers: weights are int8, activations uint8 from
// the first quantized layer to the last, and LibTorch's quantized kernels do the work (Jacob et al., "Quantization and
// Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018, arXiv 1712.05877).
//
// In int8 run convolutions along one, two or three axes and linear layers with the batch normalisation and the ReLU or
// ReLU6 behind them, transposed convolutions with the ReLU behind them, additions with the ReLU behind them,
// concatenations, max and average pools, global means, and what only moves values (flatten, view, permute, …).
// Everything else stays float between a dequantization and a quantization, with the quantizer's grids simulated as
// before, and is listed with its reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/quantization.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

/// LibTorch's engine of quantized kernels on this machine: x86, fbgemm or onednn, in this order. QNNPACK is made for
/// ARM and takes 5 times as long as float on x86, so it is an error when there is no other.
[[nodiscard]] Result<std::string> int8_engine();

/// Makes `engine` (a name from int8_engine) the one that loads and packs weights, for as long as a scope lasts. The
/// setting is the whole process's.
class EngineScope {
 public:
  explicit EngineScope(const std::string& engine);
  ~EngineScope();
  EngineScope(const EngineScope&) = delete;
  EngineScope& operator=(const EngineScope&) = delete;

 private:
  int before_;
};

/// Whether the processor multiplies bytes into 32-bit sums (VNNI). Without it the kernels add pairs of products in 16
/// bits, which overflow silently when activations use all 256 levels.
[[nodiscard]] bool has_exact_int8();

struct Int8Options {
  /// Batches of the data that show the ranges which the quantizer did not look at: sums, what leaves a fused layer.
  std::int64_t batches = 32;
  std::int64_t batch_size = 64;
  /// Activations on 128 levels instead of 256, so that 16-bit sums cannot overflow. None: where the processor needs it.
  std::optional<bool> reduced_range = {};
  /// Records that are to run at once. Linear layers which are so small that a quantized kernel would spend more time on
  /// being called than the float one on computing stay float: of at most 16,384 weights and 250,000 products a batch,
  /// unless none but such could run in int8.
  std::int64_t latency_batch = 1;
};

/// What became of one layer, or of one operator that is not a layer's.
struct Int8Step {
  std::string name;    ///< path of the layer; of an operator: itself, its module and source line
  std::string type;    ///< class name; `` for an operator
  bool int8 = false;   ///< false: it stays float
  std::string reason;  ///< why it stays float; `` for int8
};

struct Int8Model {
  /// Takes and gives float tensors like the original. Attributes: `quantized_engine`, the engine that it was made for.
  /// Whoever loads it has to choose an engine first: torch.backends.quantized.engine = "onednn" in Python.
  /// It has not run yet: oneDNN's kernels keep what they prepare for the batch size (and the number of threads) that
  /// they see first, and prepare it in every run for any other.
  torch::jit::Module model;
  std::string engine;
  bool reduced_range = false;
  std::vector<Int8Step> layers;      ///< convolutions and linear layers in order of the graph
  std::vector<Int8Step> operators;   ///< others that compute with activations in float
  std::int64_t observed_ranges = 0;  ///< activations whose range came from the data, not from the quantizer
  /// |int8 - simulation| of the outputs on the first batch of the data.
  double max_difference = 0;
  double mean_difference = 0;
};

/// The quantized model as `tapped` simulates it, after Quantization::finish. Weights keep the simulation's levels, with
/// the batch normalisation's factor in the scale of each channel; only weights with a zero point, which no engine's
/// int8 levels hold, are quantized anew, each channel symmetrically from the float weights. One activation has one
/// grid: that of the quantized output it is, else that of the first quantized input it becomes, else one from the data,
/// the range with the least squared error. Errors: no usable engine, a model that no layer of can run in int8 (with the
/// reasons), that changes itself while it runs, or that fails on the data; outputs that are not finite.
[[nodiscard]] Result<Int8Model> to_int8(const TappedModel& tapped, const Quantization& quantization,
                                        const Dataset& data, const Int8Options& options);

}  // namespace lathe::compression

// A quantization in progress: the weights, inputs and outputs of a model's layers pass through taps that put them on
// their grids. Everything is simulated in float32, and gradients pass straight through the rounding.
//
// The model's parameters stay the float master copy that is trained; whoever runs the TappedModel sees the quantized
// view of them, in training and in eval mode. Taps are never part of what is saved.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/dataset.hpp>
#include <lathe/compression/quant_config.hpp>
#include <lathe/compression/quant_grid.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

enum class QuantizerKind {
  /// Weights to 8 bits: trunc(w / scale) * scale, scale = max |w| / 127; scale never shrinks.
  Naive,
  /// Quantization-aware training (Jacob et al., 2018, arXiv 1712.05877): the grid of a weight follows the weight, that
  /// of an input or output a moving average (0.99) of the ranges seen in training.
  Qat,
  /// DoReFa-Net (Zhou et al., 2016, arXiv 1606.06160): 2 round(t (2^k - 1)) / (2^k - 1) - 1 of the weights, with
  /// t = tanh(w) / (2 max |tanh(w)|) + 1/2.
  DoReFa,
  /// Binarised neural networks (Courbariaux et al., 2016, arXiv 1602.02830): weights and outputs become +1 (0 too) or
  /// -1; the gradient passes an output within [-1, 1] only; weights are clipped to [-1, 1] after each step.
  Bnn,
  /// Learned step size quantization (Esser et al., 2020, arXiv 1902.08153): levels -2^(b-1) … 2^(b-1) - 1 with a scale
  /// for each tensor that is trained like a weight, its gradient damped by 1 / sqrt(levels.max * elements). It begins
  /// as 2 mean |x| / sqrt(levels.max), for inputs and outputs with the first batch that is not all zero.
  Lsq,
  /// Post-training quantization to 8 bits, as torch.quantization's observers do it: weights symmetric -128 … 127,
  /// inputs and outputs affine 0 … 127 with the range that calibrate() finds.
  Observer,
};

/// How the observer finds ranges.
enum class ObserverKind {
  MinMax,      ///< the extremes
  Histogram,   ///< inputs and outputs: the range with the least squared error, searched in a histogram of 2048 bins
  PerChannel,  ///< as Histogram, with weights quantized channel by channel
};

struct QuantizerOptions {
  ObserverKind observer = ObserverKind::Histogram;
  /// QAT: a convolution whose output a batch normalisation alone reads is quantized as an engine will run it, with the
  /// normalisation folded into its weight; its output is then what leaves the normalisation.
  bool fold_batch_norm = true;
};

/// What a layer was brought to; for reports and for the size of the compressed model.
struct QuantizedLayerSummary {
  std::string layer;
  std::string type;
  std::optional<int> weight_bits;
  std::optional<int> input_bits;
  std::optional<int> output_bits;
  std::int64_t weight_elements = 0;
  bool batch_norm_folded = false;

  /// Weight bits times elements; 32 bits where the weight is not quantized.
  [[nodiscard]] std::int64_t weight_size_bits() const { return weight_bits.value_or(32) * weight_elements; }
};

/// The grid that a quantizer puts one tensor of a layer on.
struct TensorGrid {
  std::string layer;
  /// The layer whose tap it is: `layer`, or the batch normalisation whose output stands for the folded convolution's.
  std::string tapped;
  TapPlace place = TapPlace::Weight;
  int bits = 0;
  /// None: its levels are no multiples of a scale, or nothing was seen. DoReFa uses every second level of the grid, the
  /// odd ones, and BNN -1 and 1 of -1, 0, 1.
  std::optional<QuantGrid> grid;
  /// An activation goes to -1 or to 1 by its sign (0 to 1), not to the nearest level.
  bool is_sign = false;
  at::Tensor weight;  ///< of a weight: its values on the grid, in the place of the float ones
  /// Of a weight: times the batch normalisation's factor it is on the grid, not as it is.
  bool batch_norm_folded = false;
};

/// Not thread-safe; the trainer drives it. The taps outlive it: they stay in the TappedModel until they are cleared.
///
/// Per channel: a weight's channels are dimension 0, or 1 for transposed convolutions (there the output channels of one
/// group); those of an input or output are dimension 1. An input or output without such a dimension (a Linear's that is
/// not of rank 2, anything of rank 1) has one grid for all of it.
class Quantization final : public Compressor {
 public:
  /// Puts the taps in place. Errors, each with the layer: the model never calls it, a tensor that it has not is to be
  /// quantized, weights that are not finite float32 numbers on the CPU, bits, types or schemes that the quantizer does
  /// not know, a layer twice, nothing to do.
  [[nodiscard]] static Result<std::unique_ptr<Quantization>> create(QuantizerKind kind, const QuantizerOptions& options,
                                                                    std::vector<QuantizedLayer> layers,
                                                                    std::shared_ptr<TappedModel> tapped);
  ~Quantization() override;

  /// Whether the method lives from training: false for naive and observer, which quantize a trained model as it is.
  [[nodiscard]] bool trains() const;
  /// Whether calibrate() has to come before finish(): the observer with inputs or outputs.
  [[nodiscard]] bool needs_calibration() const;

  /// Runs the first `batches` batches of `data` (all, if there are fewer) through the unquantized model in eval mode
  /// and fixes the ranges of inputs and outputs. `network` runs the TappedModel. QAT and LSQ may begin with it; QAT's
  /// first training step then starts the ranges anew, as NNI's does. Others ignore it.
  /// Errors: a model that fails on the data, values that are not finite (with the layer).
  [[nodiscard]] Result<void> calibrate(const Network& network, const Dataset& data, std::int64_t batch_size,
                                       std::int64_t batches);

  /// LSQ's scales.
  [[nodiscard]] std::vector<at::Tensor> extra_parameters() override;
  /// One more optimizer step is done: quant_start_step is counted, BNN clips, LSQ keeps its scales positive.
  void step() override;
  /// False while quant_start_step delays some layer.
  [[nodiscard]] bool is_settled(std::int64_t epoch) const override;
  /// Ranges and scales.
  [[nodiscard]] std::function<void()> remember() override;
  /// Ends the delay of quant_start_step: from here on everything is quantized. Errors: an input or output whose range
  /// was never seen (no training and no calibration, or a branch that was never taken).
  [[nodiscard]] Result<void> finish() override;

  /// Puts the quantized weights into a copy of the model that is to be saved. QAT and LSQ leave it as it is: as with
  /// NNI's export, their state is the float weights and calibration_config().
  [[nodiscard]] Result<void> write_weights(const torch::jit::Module& model) const;

  /// Layer name -> NNI's fields of the quantizer: weight_bits, weight_scale, weight_zero_point, input_bits,
  /// tracked_min_input, … A number per tensor, a list per channel. Ranges that were never seen are left out.
  [[nodiscard]] nlohmann::ordered_json calibration_config() const;

  /// Of every quantized tensor, in order of the layers; after finish(). Errors: weights that are not finite.
  [[nodiscard]] Result<std::vector<TensorGrid>> grids() const;

  /// In the order of `layers`.
  [[nodiscard]] std::vector<QuantizedLayerSummary> summary() const;

 private:
  struct State;
  explicit Quantization(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace lathe::compression

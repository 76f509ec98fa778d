// The grids of a quantized model in the form that an exported file wants them: one for each tensor of each layer.
#pragma once

#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/quant_grid.hpp>
#include <lathe/compression/quantization.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// How one tensor of a layer passes through integers.
struct QuantizedTensor {
  std::string layer;  ///< path of the module
  TapPlace place = TapPlace::Weight;
  QuantGrid grid;       ///< without meaning for a binary tensor
  bool binary = false;  ///< +1 where the value is >= 0, else -1 (an output of Quantizer::Bnn)
};

/// A convolution whose integer weight is that of the convolution and a batch normalisation in one.
struct FoldedLayers {
  std::string convolution;
  std::string batch_norm;
};

struct OnnxQuantization {
  std::vector<QuantizedTensor> tensors;
  std::vector<FoldedLayers> folded;
};

/// Puts together what a finished quantization left behind.
///
/// `model` is what was saved (Quantization::write_weights), `layers` and `kind` what the quantization was created with,
/// `calibration` its calibration_config(), which may have been read from a file. QAT folds a batch normalisation where
/// `options.fold_batch_norm` says so, as Quantization does.
/// Weights that a DoReFa quantization brought to more than 7 bits, and any brought to more than 8, have no grid of
/// 8-bit integers: they are left out, as the file's float weights hold them already (QAT and LSQ: they keep a grid and
/// are rounded onto it when the file is written). Errors: a layer that the model or `calibration` has not, fields that
/// are missing, of another type, not finite, or of another number than the layer's channels.
[[nodiscard]] Result<OnnxQuantization> onnx_quantization(QuantizerKind kind, const QuantizerOptions& options,
                                                         const std::vector<QuantizedLayer>& layers,
                                                         const nlohmann::ordered_json& calibration,
                                                         const torch::jit::Module& model);

}  // namespace lathe::compression

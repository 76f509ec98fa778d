// Reads an ONNX file as a TorchScript model that can be compressed and trained.
//
// Convolutions, matrix products with constants, normalisations and embeddings become submodules with parameters, under
// the names that the file gives their weights, with the class names of PyTorch (Conv2d, Linear, BatchNorm2d, …); all
// other operators become TorchScript in the root's forward. See docs/onnx.md for the operators.
#pragma once

#include <cstdint>
#include <filesystem>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct OnnxImportOptions {
  /// Files, weights beside them included, with more bytes than this are refused before memory is asked for.
  std::int64_t most_bytes = std::int64_t{1} << 34;
};

/// The model is in eval mode; its parameters require gradients. Batch normalisations and dropouts know training mode.
///
/// Opsets 7 to 17 of ai.onnx. Weights behind a DequantizeLinear become float weights with the dequantized values;
/// a QuantizeLinear whose result is dequantized again becomes a fake quantization that gradients pass straight through.
///
/// The file is not trusted. Errors, each with the node, tensor or file at fault: not a protobuf message, operators
/// without counterpart (all at once), sizes that do not fit the bytes, weights outside the file's folder, values that
/// nobody computes, cycles, attributes and inputs of a wrong type, control flow, sizes that depend on the data.
[[nodiscard]] Result<torch::jit::Module> import_onnx(const std::filesystem::path& file,
                                                     const OnnxImportOptions& options = {});

}  // namespace lathe::compression

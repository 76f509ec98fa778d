// Writes a TorchScript model as an ONNX file.
//
// The model is run once in eval mode on an example, and what runs is written down: branches and loops that depend on
// sizes are resolved as for this example. Two more runs with other batch sizes tell which sizes follow the batch; those
// stay dynamic in the file. See docs/onnx.md for the operators.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/onnx_quantization.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct OnnxExportOptions {
  /// Version of the ai.onnx operators, 13 to 17. The file's IR version is the one that came with it (7 or 8).
  int opset = 17;
  /// The first dimension of the input is symbolic (`batch`), and every size that grows with it. Otherwise the file
  /// takes inputs of the example's shape only.
  bool dynamic_batch = true;
  std::string input_name = "input";
  /// Of the only output; several are `output_0`, `output_1`, …, those of a dict `output_KEY`.
  std::string output_name = "output";
  /// A model whose weights take this many bytes or more has them in a second file, `FILE.data`, beside the first.
  /// A protobuf message cannot be larger than 2 GiB.
  std::int64_t external_data_from = std::int64_t{1} << 30;
  /// Given: weights are int8 and pass DequantizeLinear; inputs and outputs of layers pass QuantizeLinear and
  /// DequantizeLinear.
  std::optional<OnnxQuantization> quantization = std::nullopt;
};

/// `example` is an input of the model with at least one sample; its values do not matter. The file appears whole and
/// checked (onnx checker and shape inference) or not at all; one that is there is replaced.
///
/// Errors: operators that have no counterpart, all at once, each with its module and source line; a model that fails on
/// the example; control flow or sizes that depend on the batch in other than a linear way; values of the data that
/// decide what runs; options out of range; a file that cannot be written.
[[nodiscard]] Result<void> export_onnx(const torch::jit::Module& model, const at::Tensor& example,
                                       const std::filesystem::path& file, const OnnxExportOptions& options = {});

}  // namespace lathe::compression

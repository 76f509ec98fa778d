// The files that a trial leaves beside compressed.pt.
#pragma once

#include <filesystem>

#include <lathe/compression/int8.hpp>
#include <lathe/proto/compression_config.hpp>

#include "metrics.hpp"
#include "result.hpp"
#include "setup.hpp"
#include "steps/compress.hpp"

namespace lathe::trial {

/// model.pth, the state_dict of the model before it was made smaller, and where there are masks mask.pth.
[[nodiscard]] Result<void> deliver_state(const Compressed& compressed, const std::filesystem::path& folder,
                                         const proto::ExportConfig& exports);

/// compressed.onnx: `delivered`, in which the grids of a quantizer are nodes. Errors: an operator that ONNX has not, a
/// file that cannot be written.
[[nodiscard]] Result<void> deliver_onnx(const Compressed& compressed, const torch::jit::Module& delivered,
                                        const at::Tensor& example, const std::filesystem::path& folder);

struct DeliveredInt8 {
  torch::jit::Module model;  ///< as it is in the file
  Int8Metrics metrics;       ///< without its times, which are measured along with the others'
};

/// Saves the model and judges what its file gives.
[[nodiscard]] Result<DeliveredInt8> deliver_int8(const compression::Int8Model& int8, const std::filesystem::path& file,
                                                 const Setup& setup);

}  // namespace lathe::trial

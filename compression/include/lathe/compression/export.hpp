// Files for PyTorch's users, with the arguments of NNI's export_model: what is compressed as a state_dict, the masks,
// the calibration, and ONNX. torch.load opens all but the last; each file appears whole or not at all.
#pragma once

#include <filesystem>
#include <optional>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/quantization.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Where export_model writes; what has no path is not written.
struct ExportPaths {
  std::filesystem::path model_path;  ///< {parameter or buffer: tensor}, as state_dict() orders them
  /// {layer: {weight: mask, bias: mask}}, `bias` where the layer has one.
  std::optional<std::filesystem::path> mask_path = {};
  /// calibration_config: JSON when it ends in .json, else what torch.save would write of the dict.
  std::optional<std::filesystem::path> calibration_path = {};
  std::optional<std::filesystem::path> onnx_path = {};  ///< the float model, as NNI's; see export_onnx
  std::optional<Shape> input_shape = {};                ///< needed with onnx_path
};

/// Pruners' export: the weights multiplied with their masks. Files do not get smaller by that; speed_up does it. The
/// model is not changed. Errors: a mask of a layer that the model has not or of another shape, onnx_path without
/// input_shape, what export_onnx refuses, a file that cannot be written.
[[nodiscard]] Result<void> export_model(const torch::jit::Module& model, const Masks& masks, const ExportPaths& paths);

/// Quantizers' export: the weights as Quantization::write_weights leaves them; returns calibration_config. Errors as
/// above, and a mask_path, which a quantizer has no use for.
[[nodiscard]] Result<nlohmann::ordered_json> export_model(const torch::jit::Module& model,
                                                          const Quantization& quantization, const ExportPaths& paths);

/// Of one file each.
[[nodiscard]] Result<void> save_state_dict(const torch::jit::Module& model, const std::filesystem::path& file);
[[nodiscard]] Result<void> save_masks(const Masks& masks, const std::filesystem::path& file);
[[nodiscard]] Result<void> save_calibration(const nlohmann::ordered_json& calibration,
                                            const std::filesystem::path& file);

}  // namespace lathe::compression

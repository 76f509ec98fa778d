#include <lathe/compression/export.hpp>

#include <ATen/core/Dict.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <lathe/compression/onnx_export.hpp>

#include "export/pickle_file.hpp"
#include "speedup/masked_model.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Module;
using TensorDict = c10::Dict<std::string, at::Tensor>;

TensorDict state_dict(const Module& model) {
  TensorDict state;
  for (const auto& [path, module] : model.named_modules()) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const auto& [name, tensor] : module.named_parameters(/*recurse=*/false))
      state.insert(prefix + name, tensor.detach());
    for (const auto& [name, tensor] : module.named_buffers(/*recurse=*/false))
      state.insert(prefix + name, tensor.detach());
  }
  return state;
}

Result<void> check_onnx(const ExportPaths& paths) {
  if (!paths.onnx_path || paths.input_shape) return {};
  return fail(fmt::format("{}: onnx_path needs an input_shape, e.g. [1, 1, 28, 28]", paths.onnx_path->string()));
}

Result<void> write_onnx(const Module& model, const ExportPaths& paths) {
  if (!paths.onnx_path) return {};
  return export_onnx(model, at::randn(*paths.input_shape), *paths.onnx_path);
}

}  // namespace

Result<void> save_state_dict(const Module& model, const std::filesystem::path& file) {
  return write_pickle(file, state_dict(model));
}

Result<void> save_masks(const Masks& masks, const std::filesystem::path& file) {
  c10::Dict<std::string, TensorDict> all;
  for (const auto& [layer, mask] : masks) {
    TensorDict tensors;
    // Masks may be expanded views; a file should hold every number once.
    if (mask.weight.defined()) tensors.insert("weight", mask.weight.detach().contiguous());
    if (mask.bias.defined()) tensors.insert("bias", mask.bias.detach().contiguous());
    all.insert(layer, tensors);
  }
  return write_pickle(file, all);
}

Result<void> save_calibration(const nlohmann::ordered_json& calibration, const std::filesystem::path& file) {
  if (file.extension() == ".json") return write_file(file, calibration.dump(2) + "\n");
  return write_pickle(file, to_ivalue(calibration));
}

Result<void> export_model(const Module& model, const Masks& masks, const ExportPaths& paths) {
  const c10::NoGradGuard no_grad;
  if (auto checked = check_onnx(paths); !checked) return checked;
  const auto fitting = check_masks(model, masks);
  if (!fitting) return tl::unexpected(fitting.error());
  const Module masked = masked_copy(model, *fitting);
  if (auto saved = save_state_dict(masked, paths.model_path); !saved) return saved;
  if (paths.mask_path) {
    if (auto saved = save_masks(masks, *paths.mask_path); !saved) return saved;
  }
  return write_onnx(masked, paths);
}

Result<nlohmann::ordered_json> export_model(const Module& model, const Quantization& quantization,
                                            const ExportPaths& paths) {
  const c10::NoGradGuard no_grad;
  if (paths.mask_path) return fail(fmt::format("{}: a quantizer has no masks to export", paths.mask_path->string()));
  if (auto checked = check_onnx(paths); !checked) return tl::unexpected(checked.error());
  Module exported = copy_model(model);
  exported.eval();
  if (auto written = quantization.write_weights(exported); !written) return tl::unexpected(written.error());
  if (auto saved = save_state_dict(exported, paths.model_path); !saved) return tl::unexpected(saved.error());
  nlohmann::ordered_json calibration = quantization.calibration_config();
  if (paths.calibration_path) {
    if (auto saved = save_calibration(calibration, *paths.calibration_path); !saved)
      return tl::unexpected(saved.error());
  }
  if (auto written = write_onnx(exported, paths); !written) return tl::unexpected(written.error());
  return calibration;
}

}  // namespace lathe::compression

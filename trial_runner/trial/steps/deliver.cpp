#include "steps/deliver.hpp"

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/export.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/onnx_export.hpp>

namespace lathe::trial {

Result<void> deliver_state(const Compressed& compressed, const std::filesystem::path& folder,
                           const proto::ExportConfig& exports) {
  if (!exports.state_dict) return {};
  compression::ExportPaths paths{.model_path = folder / "model.pth"};
  if (!compressed.masks.empty()) paths.mask_path = folder / "mask.pth";
  return compression::export_model(compressed.model, compressed.masks, paths);
}

Result<void> deliver_onnx(const Compressed& compressed, const torch::jit::Module& delivered, const at::Tensor& example,
                          const std::filesystem::path& folder) {
  compression::OnnxExportOptions options;
  options.quantization = compressed.grids;
  return compression::export_onnx(delivered, example, folder / "compressed.onnx", options);
}

Result<DeliveredInt8> deliver_int8(const compression::Int8Model& int8, const std::filesystem::path& file,
                                   const Setup& setup) {
  const compression::EngineScope engine(int8.engine);
  if (auto saved = compression::save_model(int8.model, file); !saved) return tl::unexpected(saved.error());
  const auto loaded = compression::load_model(file);
  if (!loaded) return tl::unexpected(loaded.error());
  const auto quality =
      compression::evaluate(*loaded, setup.test, setup.config.evaluation.batch_size, loss_of(setup.config));
  if (!quality) return tl::unexpected(quality.error());
  Int8Metrics metrics{quality->accuracy, quality->loss, static_cast<std::int64_t>(std::filesystem::file_size(file))};
  return DeliveredInt8{*loaded, metrics};
}

}  // namespace lathe::trial

// Writes what onnxruntime_latency.py compares: each model as it is and in int8, for LibTorch and as ONNX.
//
//     onnxruntime-files FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/model.hpp>
#include <lathe/compression/onnx_export.hpp>

#include "int8_models.hpp"
#include "models.hpp"

namespace {

using namespace lathe;  // NOLINT(google-build-using-namespace)

bool report(const compression::Result<void>& written) {
  if (!written) std::puts(written.error().message.c_str());
  return written.has_value();
}

bool write(const bench::Subject& subject, const std::filesystem::path& folder) {
  const auto file = [&](const char* ending) { return folder / (subject.name + ending); };
  torch::jit::Module plain = compression::copy_model(subject.model);
  plain.eval();
  const auto made = bench::in_eight_bits(plain, subject.shape, 1);
  auto shape = subject.shape;
  shape[0] = 2;  // what differs between batches shows
  const at::Tensor example = compression::test_models::random_input(shape);
  compression::OnnxExportOptions quantized;
  quantized.quantization = made.grids;
  return report(compression::save_model(plain, file(".pt"))) &&
         report(compression::save_model(made.int8.model, file("-int8.pt"))) &&
         report(compression::export_onnx(plain, example, file(".onnx"))) &&
         report(compression::export_onnx(plain, example, file("-qdq.onnx"), quantized));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("onnxruntime-files FOLDER");
    return 2;
  }
  const c10::NoGradGuard no_grad;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& subject : bench::subjects()) {
    if (!write(subject, argv[1])) return 1;
    list.push_back({{"name", subject.name}, {"shape", subject.shape}});
  }
  std::ofstream(std::filesystem::path(argv[1]) / "models.json") << list;
  return 0;
}

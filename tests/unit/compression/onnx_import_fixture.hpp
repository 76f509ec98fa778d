// Imports ONNX files that a test writes.
#pragma once

#include <filesystem>
#include <stdexcept>

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/onnx_import.hpp>

#include "onnx_file.hpp"
#include "temporary_folder.hpp"

namespace lathe::compression::test_models {

class OnnxImporting : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "model.onnx"; }

  [[nodiscard]] torch::jit::Module imported(const OnnxFile& model) const {
    auto module = import_onnx(model.save(file()));
    if (!module) throw std::runtime_error(module.error().message);
    return *module;
  }

  /// What the imported model, of one input and one output, makes of `input`.
  [[nodiscard]] at::Tensor run(const OnnxFile& model, const at::Tensor& input) const {
    const c10::NoGradGuard no_grad;
    return imported(model).forward({input}).toTensor();
  }

  test::TemporaryFolder folder_;
};

}  // namespace lathe::compression::test_models

// Models of the zoo as tests/zoo/build.py writes them.
#pragma once

#include <filesystem>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

namespace lathe::zoo {

struct ZooModel {
  std::string name;
  std::string form;          ///< scripted or traced
  torch::jit::Module model;  ///< in eval mode
  at::Tensor example;        ///< one batch of input
};

/// NAME.input.pt, which lies beside the models that it belongs to.
[[nodiscard]] bool is_input_file(const std::filesystem::path& file);

/// FOLDER/NAME.FORM.pt, whose input is in FOLDER/NAME.input.pt. Throws std::runtime_error that names the file.
[[nodiscard]] ZooModel read_zoo_model(const std::filesystem::path& file);

}  // namespace lathe::zoo

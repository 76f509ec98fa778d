// A TorchScript model on disk and in memory, and the layers in it that compression can name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>

namespace lathe::compression {

using Shape = std::vector<std::int64_t>;

/// A module of the model, found by walking named_modules in definition order.
struct Layer {
  std::string name;   ///< path from the root, e.g. `features.0.conv`
  std::string type;   ///< PyTorch class name without mangling: Conv2d, Linear, BatchNorm2d, …
  at::Tensor weight;  ///< undefined when the layer has none
  at::Tensor bias;    ///< undefined when the layer has none
};

/// Loads a TorchScript file. Not TorchScript, truncated, or not readable: an error that names the file and says how to
/// make one (torch.jit.script(model).save(path)).
[[nodiscard]] Result<torch::jit::Module> load_model(const std::filesystem::path& file);

/// Saves through a temporary file and a rename.
[[nodiscard]] Result<void> save_model(const torch::jit::Module& model, const std::filesystem::path& file);

/// A deep copy whose parameters are leaves that keep their requires_grad (Module::clone and deepcopy do not).
[[nodiscard]] torch::jit::Module copy_model(const torch::jit::Module& model);

/// Every module with a weight or bias of its own, in definition order.
[[nodiscard]] std::vector<Layer> layers_of(const torch::jit::Module& model);

/// Every submodule, containers and those without parameters (such as ReLU) included, in definition order.
[[nodiscard]] std::vector<Layer> modules_of(const torch::jit::Module& model);

/// The names nearest to `name` by edit distance, best first, at most three; for "did you mean" hints.
[[nodiscard]] std::vector<std::string> nearest_names(const std::string& name, const std::vector<std::string>& names);

/// Class names that `op_types: [default]` stands for (NNI's default_layers).
[[nodiscard]] const std::vector<std::string>& default_op_types();

}  // namespace lathe::compression

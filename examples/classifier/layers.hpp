// Layers of TorchScript models built without Python, with PyTorch's class names and weights from one seed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Generator.h>
#include <torch/csrc/jit/api/module.h>

namespace lathe::examples {

enum class Initialization {
  Uniform,  ///< PyTorch's default: ±1/sqrt(fan in)
  He,       ///< normal, standard deviation sqrt(2 / fan in): He et al., 2015 (arXiv 1502.01852)
};

struct Conv {
  std::int64_t in = 1;
  std::int64_t out = 1;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  bool bias = true;
  Initialization initialization = Initialization::Uniform;
};

/// Makes modules of one compilation unit. Weights depend on the seed and the order of the calls alone.
class LayerBuilder {
 public:
  using Children = std::vector<std::pair<std::string, torch::jit::Module>>;

  explicit LayerBuilder(std::uint64_t seed);

  [[nodiscard]] torch::jit::Module conv2d(const Conv& conv);
  [[nodiscard]] torch::jit::Module linear(std::int64_t in, std::int64_t out);
  /// Momentum 0.1, eps 1e-5; mean 0, variance 1, weight 1 and bias 0 at first.
  [[nodiscard]] torch::jit::Module batch_norm2d(std::int64_t channels);
  /// Children run one after the other; they are named 0, 1, ….
  [[nodiscard]] torch::jit::Module sequential(const std::vector<torch::jit::Module>& children);
  /// A module `class_name` whose TorchScript `forward` calls its children as `self.name.forward(x)`.
  [[nodiscard]] torch::jit::Module net(const std::string& class_name, const Children& children,
                                       const std::string& forward);

 private:
  [[nodiscard]] torch::jit::Module module(const std::string& class_name) const;
  [[nodiscard]] at::Tensor uniform(const std::vector<std::int64_t>& shape, double bound);

  std::shared_ptr<torch::jit::CompilationUnit> unit_;
  at::Generator generator_;
};

}  // namespace lathe::examples

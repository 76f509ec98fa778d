// Small TorchScript models built in C++, for tests: layers with seeded weights and a forward written as TorchScript.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/jit/api/module.h>

namespace lathe::compression::test_models {

struct ConvOptions {
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
};

/// Makes modules that share one compilation unit. Weights are uniform in ±1/sqrt(fan_in) and depend on the seed and the
/// order of the calls alone.
class Builder {
 public:
  explicit Builder(std::uint64_t seed);

  [[nodiscard]] torch::jit::Module conv1d(std::int64_t in, std::int64_t out, const ConvOptions& options = {});
  [[nodiscard]] torch::jit::Module conv2d(std::int64_t in, std::int64_t out, const ConvOptions& options = {});
  [[nodiscard]] torch::jit::Module linear(std::int64_t in, std::int64_t out, bool bias = true);

  /// Statistics and affine parameters as freshly constructed (mean 0, variance 1, weight 1, bias 0), or random ones.
  [[nodiscard]] torch::jit::Module batch_norm2d(std::int64_t channels, bool random = false);

  /// Any other layer: parameters by name and shape, uniform in ±1/2, and a TorchScript `forward` that uses them.
  [[nodiscard]] torch::jit::Module layer(const std::string& class_name,
                                         const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& shapes,
                                         const std::string& forward);

  /// One weight and bias over `width` values; `expression` is what its forward returns of x.
  [[nodiscard]] torch::jit::Module norm(const std::string& class_name, std::int64_t width,
                                        const std::string& expression);
  [[nodiscard]] torch::jit::Module embedding(std::int64_t entries, std::int64_t width);
  /// A module with parameters p0, p1, … of these shapes.
  [[nodiscard]] torch::jit::Module with_parameters(const std::string& class_name,
                                                   const std::vector<std::vector<std::int64_t>>& shapes,
                                                   const std::string& forward);

  /// A module `class_name` with these children, parameters of its own and a TorchScript `forward`; children are called
  /// as `self.name.forward(x)`.
  [[nodiscard]] torch::jit::Module net(const std::string& class_name,
                                       const std::vector<std::pair<std::string, torch::jit::Module>>& children,
                                       const std::string& forward,
                                       const std::vector<std::pair<std::string, at::Tensor>>& parameters = {});

  /// Standard normal values.
  [[nodiscard]] at::Tensor normal(const std::vector<std::int64_t>& shape);

 private:
  [[nodiscard]] torch::jit::Module leaf(const std::string& class_name);
  [[nodiscard]] torch::jit::Module conv(int spatial, std::int64_t in, std::int64_t out, const ConvOptions& options);
  void add_weights(torch::jit::Module& module, const std::vector<std::int64_t>& shape, bool bias);
  [[nodiscard]] at::Tensor uniform(const std::vector<std::int64_t>& shape, double bound);

  std::shared_ptr<torch::jit::CompilationUnit> unit_;
  at::Generator generator_;
};

/// conv1(1,20,5) relu pool conv2(20,50,5) relu pool view(-1,800) fc1(800,500) relu fc2(500,10) log_softmax;
/// input N x 1 x 28 x 28; 431,080 parameters.
[[nodiscard]] torch::jit::Module lenet(std::uint64_t seed = 0);

/// A stem (conv, batch norm), a residual block, a depthwise-separable block and a concatenation of two branches, then
/// global mean and `fc`; input N x 3 x 16 x 16, 10 outputs. Batch norms are random: shifts are not zero.
[[nodiscard]] torch::jit::Module residual_net(std::uint64_t seed = 0);

/// Seeded standard normal values.
[[nodiscard]] at::Tensor random_input(const std::vector<std::int64_t>& shape, std::uint64_t seed = 0);

}  // namespace lathe::compression::test_models

// A small trained net, its data, and what the iterative pruners' tests ask of their results.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <lathe/compression/iterative.hpp>

namespace lathe::compression::test_iterative {

/// Noisy images of 8 x 8 whose bright quadrant is their class, of four.
[[nodiscard]] Dataset blobs(std::int64_t count, std::uint64_t seed);

/// conv1(1,6,3,pad 1) bn relu conv2(6,12,3) relu fc1(432,24) relu fc2(24,4), trained on blobs until it is right on
/// nearly all of them. Every call gives a new copy of the same model.
[[nodiscard]] torch::jit::Module trained_net();

/// conv1, conv2 and fc1, 54 + 648 + 10368 weights, each with this target.
[[nodiscard]] std::vector<SelectedLayer> selected(const torch::jit::Module& model, double sparsity);

/// Judges by accuracy on held-out blobs.
struct Bench {
  explicit Bench(double sparsity, bool with_example = true);

  torch::jit::Module model;
  std::int64_t evaluations = 0;
  IterativeContext context;
};

[[nodiscard]] double accuracy(const torch::jit::Module& model);

/// Weights of the selected layers that are zero, as a share of all.
[[nodiscard]] double zero_share(const std::vector<SelectedLayer>& layers);

/// A copy of each parameter, by name.
[[nodiscard]] std::map<std::string, at::Tensor> weights_of(const torch::jit::Module& model);

/// The same names with equal values.
[[nodiscard]] bool same_masks(const Masks& one, const Masks& other);

}  // namespace lathe::compression::test_iterative

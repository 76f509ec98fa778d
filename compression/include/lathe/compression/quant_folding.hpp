// Batch normalisations that an integer engine computes as part of the convolution before them.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

/// What a batch normalisation does in eval mode: (x - mean) * gamma / sqrt(variance + eps) + beta, per channel.
struct BatchNormStatistics {
  at::Tensor gamma;  ///< undefined: ones
  at::Tensor beta;   ///< undefined: zeros
  at::Tensor mean;
  at::Tensor variance;
  double eps = 0;

  /// gamma / sqrt(variance + eps), what the convolution's filters are multiplied with; no gradient.
  [[nodiscard]] at::Tensor factor() const;
};

/// A convolution and the batch normalisation that alone reads its output. The tensors are the model's own, so they
/// follow its training.
struct FoldablePair {
  std::string convolution;  ///< path of the module
  std::string batch_norm;
  BatchNormStatistics statistics;
};

/// Pairs of Conv1d, Conv2d or Conv3d and BatchNorm1d, 2d or 3d, each called once, with running statistics, in order of
/// the graph.
[[nodiscard]] std::vector<FoldablePair> foldable_pairs(const TappedModel& tapped);

struct FoldedConvolution {
  at::Tensor weight;
  at::Tensor bias;
};

/// A convolution that computes what `weight`, `bias` (undefined: none) and the batch normalisation compute in eval mode
/// (Jacob et al., 2018, section 3.2). Dimension 0 of `weight` is the output channel.
[[nodiscard]] FoldedConvolution fold_batch_norm(const at::Tensor& weight, const at::Tensor& bias,
                                                const BatchNormStatistics& statistics);

}  // namespace lathe::compression

// What a model costs: parameters, multiply-accumulates, bytes on disk, time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Elements of all parameters (buffers do not count).
[[nodiscard]] std::int64_t count_parameters(const torch::jit::Module& model);

/// Elements of all parameters that are not zero.
[[nodiscard]] std::int64_t count_nonzero_parameters(const torch::jit::Module& model);

struct LayerMacs {
  std::string layer;
  std::int64_t macs = 0;
};

/// What is counted, as NNI's count_flops_params names it.
enum class CountMode {
  /// Convolutions and linear layers without bias: conv cout*oH*oW*(kH*kW*cin/groups), linear in*out a row; a transposed
  /// convolution by the places of its input.
  Default,
  /// Biases too (1 an output element), and with the module that runs them: batch, layer and group norms (2 an element),
  /// activations (1 an element), average pools (1 an output element; adaptive ones the elements of a window + 1),
  /// upsampling (an output element: nearest 0, linear 5, bilinear 11, trilinear 31, bicubic 259) and products of two
  /// activations, as in attention (as a linear layer). Max pools are not counted.
  Full,
};

/// Multiply-accumulates of one sample of `example`, by layer in order of execution. A layer that runs twice counts
/// twice. Errors: an example without batch axis, or one that the model does not run on.
[[nodiscard]] Result<std::vector<LayerMacs>> count_macs(const torch::jit::Module& model, const at::Tensor& example,
                                                        CountMode mode = CountMode::Default);

/// Of all layers.
[[nodiscard]] std::int64_t total_macs(const std::vector<LayerMacs>& layers);

/// The most bytes of activations that live at one time while `example`, the whole batch, runs through the model, by the
/// lifetimes of its graph: a tensor lives from the operator that makes it to the last that reads it, or a view of it;
/// the input and the output count, parameters, buffers and constants do not, nor does what an operator needs inside.
/// Errors: an example that the model does not run on.
[[nodiscard]] Result<std::int64_t> peak_activation_bytes(const torch::jit::Module& model, const at::Tensor& example);

struct LatencyOptions {
  int runs = 50;           ///< timed runs of each model, > 0
  int warmup = 5;          ///< untimed runs of each model first
  int threads = 0;         ///< intra-op threads while timing; 0: as they are set
  std::uint64_t seed = 0;  ///< of the bootstrap
};

/// Times of one forward pass of the whole batch.
struct LatencyComparison {
  double original_ms = 0;      ///< median
  double compressed_ms = 0;    ///< median
  double original_iqr_ms = 0;  ///< third quartile - first quartile
  double compressed_iqr_ms = 0;
  double speedup = 0;      ///< original_ms / compressed_ms
  double speedup_low = 0;  ///< 95 % confidence interval of the speed-up: a percentile bootstrap (Efron 1979) that draws
  double speedup_high = 0;  ///< pairs of runs of neighbouring turns, 2000 times
};

/// Times the two models in turns of four runs (A B, B A, A B, …, so that a machine that slows down slows both), each
/// after a run that does not count, so that neither finds its weights pushed out of the caches by the other's; in eval
/// mode, no gradients. On CUDA a run ends when the device has finished it.
[[nodiscard]] LatencyComparison compare_latency(torch::jit::Module original, torch::jit::Module compressed,
                                                const at::Tensor& example, const LatencyOptions& options);

/// The same for several models in one session (A B C, C B A, …): each against the same runs of the original.
[[nodiscard]] std::vector<LatencyComparison> compare_latencies(torch::jit::Module original,
                                                               const std::vector<torch::jit::Module>& compressed,
                                                               const at::Tensor& example,
                                                               const LatencyOptions& options);

}  // namespace lathe::compression

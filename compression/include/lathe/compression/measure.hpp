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

/// Multiply-accumulates of convolutions and linear layers for one sample of `example` (NNI's count_flops_params,
/// mode "default": conv cout*oH*oW*(kH*kW*cin/groups), linear in*out a row, no bias; a transposed convolution by the
/// places of its input), layers in order of execution.
[[nodiscard]] Result<std::vector<LayerMacs>> count_macs(const torch::jit::Module& model, const at::Tensor& example);

struct LatencyOptions {
  int runs = 50;   ///< timed runs of each model
  int warmup = 5;  ///< untimed runs of each model first
};

struct LatencyComparison {
  double original_ms = 0;  ///< median of one forward pass
  double compressed_ms = 0;
};

/// Times the two models in turn (A B A B …, so that a machine that slows down slows both), in eval mode, no gradients.
[[nodiscard]] LatencyComparison compare_latency(torch::jit::Module original, torch::jit::Module compressed,
                                                const at::Tensor& example, const LatencyOptions& options);

}  // namespace lathe::compression

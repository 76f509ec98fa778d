// The tensor quantizers of each algorithm. Settings were checked before: see settings.hpp.
#pragma once

#include <memory>

#include <lathe/compression/quant_folding.hpp>
#include <lathe/compression/quantization.hpp>

#include "quantization/tensor_quantizer.hpp"

namespace lathe::compression {

using TensorQuantizerPointer = std::shared_ptr<TensorQuantizer>;

[[nodiscard]] TensorQuantizerPointer naive_weight(TensorSite site, SharedProgress progress);

/// `fold`: the batch normalisation that the weight's grid takes in, or nullptr.
[[nodiscard]] TensorQuantizerPointer qat_weight(TensorSite site, SharedProgress progress, const QuantSpec& spec,
                                                std::int64_t start_step, const at::Tensor& weight,
                                                const FoldablePair* fold);
[[nodiscard]] TensorQuantizerPointer qat_activation(TensorSite site, SharedProgress progress, const QuantSpec& spec,
                                                    std::int64_t start_step);

[[nodiscard]] TensorQuantizerPointer dorefa_weight(TensorSite site, SharedProgress progress, int bits);

/// `weight` is clipped after each step.
[[nodiscard]] TensorQuantizerPointer binary_weight(TensorSite site, SharedProgress progress, const at::Tensor& weight);
[[nodiscard]] TensorQuantizerPointer binary_output(TensorSite site, SharedProgress progress);

/// `weight` is undefined for an input or output.
[[nodiscard]] TensorQuantizerPointer learnt_scale(TensorSite site, SharedProgress progress, int bits,
                                                  const at::Tensor& weight);

[[nodiscard]] TensorQuantizerPointer observed_weight(TensorSite site, SharedProgress progress, ObserverKind kind,
                                                     const at::Tensor& weight);
[[nodiscard]] TensorQuantizerPointer observed_activation(TensorSite site, SharedProgress progress, ObserverKind kind);

}  // namespace lathe::compression

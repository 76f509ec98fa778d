// The int8 weight and float bias that a kernel gets for a quantized layer.
#pragma once

#include <ATen/core/Tensor.h>

#include <lathe/compression/quant_folding.hpp>
#include <lathe/compression/result.hpp>

#include "int8/frozen_graph.hpp"

namespace lathe::compression {

struct LayerWeight {
  at::Tensor weight;  ///< qint8, zero point 0; one scale, or one for each filter
  at::Tensor bias;    ///< float32; undefined: none
};

/// `simulated` is the weight that the simulation computes with. Its integers are kept where they fit: a batch
/// normalisation behind the layer (nullptr: none) goes into the scales of the filters. Where they do not fit, because
/// the grid has a zero point, each filter is quantized symmetrically from its float weights; all of them alike if there
/// can be `one_scale` only.
/// Error: a weight that is not finite once it is folded.
[[nodiscard]] Result<LayerWeight> int8_weight(const FrozenWeight& weight, const at::Tensor& simulated,
                                              const at::Tensor& bias, const BatchNormStatistics* batch_norm,
                                              bool one_scale);

}  // namespace lathe::compression

// How a layer is quantized: NNI's quant_types, quant_bits, quant_dtype, quant_scheme and quant_start_step.
#pragma once

#include <cstdint>
#include <optional>

#include <lathe/compression/model.hpp>

namespace lathe::compression {

enum class QuantDtype {
  Int,   ///< -(2^(bits-1)) + 1 … 2^(bits-1) - 1
  Uint,  ///< 0 … 2^bits - 1
};

enum class QuantScheme { PerTensorAffine, PerTensorSymmetric, PerChannelAffine, PerChannelSymmetric };

struct QuantSpec {
  int bits = 8;  ///< 0 < bits < 32
  QuantDtype dtype = QuantDtype::Uint;
  QuantScheme scheme = QuantScheme::PerTensorAffine;

  friend bool operator==(const QuantSpec&, const QuantSpec&) = default;
};

/// What of a layer is quantized, and how; none: left as it is.
struct QuantTarget {
  std::optional<QuantSpec> weight = {};
  std::optional<QuantSpec> input = {};
  std::optional<QuantSpec> output = {};
  std::int64_t start_step = 0;  ///< training steps before quantization sets in; ranges are tracked from the first

  friend bool operator==(const QuantTarget&, const QuantTarget&) = default;
};

/// A layer that is to be quantized; its weight is undefined for one without parameters, such as ReLU.
struct QuantizedLayer {
  Layer layer;
  QuantTarget target;
};

}  // namespace lathe::compression

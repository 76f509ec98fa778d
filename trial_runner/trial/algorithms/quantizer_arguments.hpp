// Quantizers by their names, and their arguments.
#pragma once

#include <string>
#include <vector>

#include <lathe/compression/quantization.hpp>

#include "algorithms/algorithm.hpp"
#include "algorithms/argument_table.hpp"

namespace lathe::trial {

/// `algorithm` is of the family Quantizer.
[[nodiscard]] compression::QuantizerKind quantizer_kind(Algorithm algorithm);

/// What is quantized where quant_types are not given: weights, and with those that quantize activations well the inputs
/// of the same layers, so that an engine can run the layer on integers.
[[nodiscard]] std::vector<std::string> default_quant_types(Algorithm algorithm);

void declare_quantizer_arguments(ArgumentTable& table, compression::QuantizerKind kind,
                                 compression::QuantizerOptions& options);

}  // namespace lathe::trial

// Element types of LibTorch and of ONNX (TensorProto.DataType).
#pragma once

#include <cstdint>
#include <optional>

#include <c10/core/ScalarType.h>

namespace lathe::compression {

/// Throws std::runtime_error for types that ONNX has not, such as quantized ones.
[[nodiscard]] std::int64_t onnx_element_type(at::ScalarType type);

/// Nothing for types that LibTorch has not (uint16, uint32, uint64, string, …).
[[nodiscard]] std::optional<at::ScalarType> torch_element_type(std::int64_t type);

}  // namespace lathe::compression

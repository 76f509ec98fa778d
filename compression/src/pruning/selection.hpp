// Exact selection of the smallest without sorting: which of n values are the `count` of least magnitude.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace lathe::compression {

/// 1 for the values that stay and 0 for the `count` of least magnitude, in shape and dtype of `values` (float or
/// double, contiguous, on the CPU); among equals the earlier index goes first. What `current` (undefined, or of the
/// same shape and dtype) has at zero goes before all others, and all of it goes whatever the count. NaN counts as
/// larger than any number.
[[nodiscard]] at::Tensor keep_largest(const at::Tensor& values, std::int64_t count, const at::Tensor& current);

/// The same for each row of a matrix on its own.
[[nodiscard]] at::Tensor keep_largest_in_rows(const at::Tensor& values, std::int64_t count, const at::Tensor& current);

}  // namespace lathe::compression

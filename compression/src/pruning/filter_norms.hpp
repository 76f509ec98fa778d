// How much each filter weighs. Rows are [filters, weights of a filter], float or double; results double [filters].
#pragma once

#include <ATen/core/Tensor.h>

namespace lathe::compression {

[[nodiscard]] at::Tensor l1_norms(const at::Tensor& rows);
[[nodiscard]] at::Tensor l2_norms(const at::Tensor& rows);

/// The squares of the L2 norms.
[[nodiscard]] at::Tensor square_sums(const at::Tensor& rows);

/// Sum of the Euclidean distances to all other rows; rows that are equal get equal sums.
[[nodiscard]] at::Tensor distance_sums(const at::Tensor& rows);

}  // namespace lathe::compression

// Where a layer's filters lie in its weight.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Filters are counted by axis 0, in a transposed convolution by axis 1, once a group: [in, filters / groups, …].
struct FilterLayout {
  std::int64_t filters = 0;
  bool transposed = false;
  std::int64_t groups = 1;  ///< of a transposed convolution; others have all their filters on axis 0
};

[[nodiscard]] bool is_transposed_convolution(const std::string& type);

/// `groups` of a transposed convolution cannot be told from its weight; its bias tells them too, and goes first.
/// Errors: a weight of too few dimensions, a bias that does not fit the filters.
[[nodiscard]] Result<FilterLayout> filter_layout(const Layer& layer, std::int64_t groups);

/// One row a filter, [filters, weights of a filter]; a view where that is possible.
[[nodiscard]] at::Tensor filter_rows(const at::Tensor& weight, const FilterLayout& layout);

/// One number a filter, in the shape of the weight; a view where that is possible.
[[nodiscard]] at::Tensor spread_over_weight(const at::Tensor& filters, c10::IntArrayRef shape,
                                            const FilterLayout& layout);

}  // namespace lathe::compression

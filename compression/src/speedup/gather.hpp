// Part of a tensor: the positions that stay along one or more of its axes, copied in one pass.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <ATen/core/Tensor.h>

namespace lathe::compression {

/// By axis, which of its positions stay, ascending.
using KeptPositions = std::map<std::int64_t, std::vector<std::int64_t>>;

/// A contiguous copy, without gradient.
[[nodiscard]] at::Tensor gather(const at::Tensor& whole, const KeptPositions& kept);

}  // namespace lathe::compression

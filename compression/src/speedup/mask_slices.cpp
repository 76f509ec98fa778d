#include "speedup/mask_slices.hpp"

#include <algorithm>

#include <ATen/ops/ones.h>

namespace lathe::compression {
namespace {

/// Views of one number along an axis say everything at its first position.
at::Tensor without_repeats(at::Tensor mask, std::int64_t axis) {
  for (std::int64_t other = 0; other < mask.dim(); ++other)
    if (other != axis && mask.size(other) > 1 && mask.stride(other) == 0) mask = mask.narrow(other, 0, 1);
  return mask;
}

}  // namespace

at::Tensor zero_slices(const at::Tensor& mask, std::int64_t axis) {
  if (mask.size(axis) > 1 && mask.stride(axis) == 0)
    return zero_slices(mask.narrow(axis, 0, 1), axis).expand({mask.size(axis)}).contiguous();
  const at::Tensor values = without_repeats(mask, axis).to(at::kCPU).to(at::kFloat).contiguous();
  const std::int64_t size = values.size(axis);
  std::int64_t before = 1;
  for (std::int64_t other = 0; other < axis; ++other) before *= values.size(other);
  const std::int64_t after = size == 0 ? 0 : values.numel() / (before * size);
  at::Tensor zero = at::ones({size}, at::kBool);
  auto* flags = zero.data_ptr<bool>();
  const auto* data = values.data_ptr<float>();
  std::int64_t left = size;
  for (std::int64_t outer = 0; outer < before && left > 0; ++outer) {
    for (std::int64_t i = 0; i < size; ++i) {
      const float* slice = data + (outer * size + i) * after;
      if (!flags[i] || std::all_of(slice, slice + after, [](float value) { return value == 0; })) continue;
      flags[i] = false;
      --left;
    }
  }
  return zero;
}

}  // namespace lathe::compression

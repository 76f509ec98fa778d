// A histogram of values that come in batches, and the range in it that is best to quantize.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/quant_grid.hpp>

namespace lathe::compression {

/// The algorithm of torch.quantization's HistogramObserver (L2 norm minimisation, after caffe2's): 2048 bins; where a
/// batch lies outside, the range grows to a multiple of 1/128 of its old width, its minimum exact, and the old counts
/// are spread evenly over the new bins. The bins lie over the exact range; LibTorch 1.13's own truncate its ends to
/// integers, so it loses what is beyond them.
class Histogram {
 public:
  /// The values are finite float32; `range` is theirs.
  void add(const at::Tensor& values, const ValueRange& range);

  [[nodiscard]] bool empty() const { return counts_.empty(); }
  /// Of all values; its upper end may lie above the greatest.
  [[nodiscard]] const ValueRange& range() const { return range_; }

  /// The part of the range that 256 levels render with the least squared error, found by cutting outliers from the
  /// ends, one quantile of 1e-5 at a time, until the error would grow.
  [[nodiscard]] ValueRange best_range() const;

 private:
  void grow_to(const ValueRange& range);
  [[nodiscard]] double error(std::int64_t first_bin, std::int64_t last_bin) const;

  ValueRange range_;
  std::vector<double> counts_;
};

}  // namespace lathe::compression

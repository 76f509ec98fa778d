#include "quantization/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ops/histc.h>

namespace lathe::compression {
namespace {

constexpr std::int64_t kBins = 2048;
constexpr double kUpsampleRate = 128;
constexpr double kLevels = 256;
constexpr double kQuantileStep = 1e-5;

double width_of(const ValueRange& range) {
  return static_cast<double>(range.max) - static_cast<double>(range.min);
}

/// Integral of x^2 over [begin, end].
double square_integral(double begin, double end) {
  return (end * end * end - begin * begin * begin) / 3;
}

/// Adds `count`, spread evenly over [begin, end) in units of bins, to the bins; what rounding leaves outside goes to
/// the bin at the end.
void spread(double count, double begin, double end, std::vector<double>& bins) {
  const auto last = static_cast<std::int64_t>(bins.size()) - 1;
  const std::int64_t from = std::clamp(static_cast<std::int64_t>(std::floor(begin)), std::int64_t{0}, last);
  const std::int64_t to = std::clamp(static_cast<std::int64_t>(std::ceil(end)) - 1, from, last);
  double rest = count;
  for (std::int64_t bin = from; bin < to; ++bin) {
    const double overlap = std::min(end, static_cast<double>(bin + 1)) - std::max(begin, static_cast<double>(bin));
    const double part = count * overlap / (end - begin);
    bins[static_cast<std::size_t>(bin)] += part;
    rest -= part;
  }
  bins[static_cast<std::size_t>(to)] += rest;
}

}  // namespace

void Histogram::add(const at::Tensor& values, const ValueRange& range) {
  if (values.numel() == 0) return;
  const bool first = counts_.empty();
  const double single = !first && range_.min == range_.max ? std::accumulate(counts_.begin(), counts_.end(), 0.0) : 0;
  if (first) range_ = range;
  if (first || single > 0) counts_.assign(kBins, 0);
  if (single > 0) {
    // All values so far were one number: no width to be spread over.
    const ValueRange before = range_;
    range_ = {std::min(before.min, range.min), std::max(before.max, range.max)};
    const double position = width_of(range_) == 0 ? 0 : (before.min - range_.min) / width_of(range_) * kBins;
    counts_[static_cast<std::size_t>(std::min(position, static_cast<double>(kBins - 1)))] += single;
  } else if (!first) {
    grow_to({std::min(range.min, range_.min), std::max(range.max, range_.max)});
  }
  if (range_.min == range_.max) {
    counts_[0] += static_cast<double>(values.numel());
    return;
  }
  const at::Tensor counted = at::histc(values, kBins, range_.min, range_.max).contiguous();
  const auto* count = counted.data_ptr<float>();
  for (double& bin : counts_) bin += *count++;
}

void Histogram::grow_to(const ValueRange& range) {
  if (range == range_) return;
  const double old_width = width_of(range_);
  const double ratio = std::ceil(width_of(range) * kUpsampleRate / old_width) / kUpsampleRate;
  const double fine_width = old_width / (static_cast<double>(kBins) * kUpsampleRate);
  const double start = std::round((static_cast<double>(range_.min) - range.min) / fine_width) / kUpsampleRate / ratio;
  std::vector<double> grown(kBins, 0);
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    if (counts_[bin] == 0) continue;
    spread(counts_[bin], start + static_cast<double>(bin) / ratio, start + static_cast<double>(bin + 1) / ratio, grown);
  }
  counts_ = std::move(grown);
  range_ = {range.min, static_cast<float>(range.min + ratio * old_width)};
  range_.max = std::max(range_.max, range.max);
}

/// As if the values of a bin were spread evenly over it, each falls to the centre of its level.
double Histogram::error(std::int64_t first_bin, std::int64_t last_bin) const {
  const double bin_width = width_of(range_) / kBins;
  const double level_width = bin_width * static_cast<double>(last_bin - first_bin + 1) / kLevels;
  if (level_width == 0) return 0;
  const double half = level_width / 2;
  const double whole_level = square_integral(-half, half);
  const auto level_of = [&](double x) { return std::clamp(std::floor(x / level_width), 0.0, kLevels - 1); };
  double sum = 0;
  for (std::int64_t bin = 0; bin < kBins; ++bin) {
    const double count = counts_[static_cast<std::size_t>(bin)];
    if (count == 0) continue;
    const double begin = static_cast<double>(bin - first_bin) * bin_width;
    const double end = begin + bin_width;
    const double first = level_of(begin);
    const double last = level_of(end);
    sum += count / bin_width *
           (square_integral(begin - (first + 0.5) * level_width, half) + (last - first - 1) * whole_level +
            square_integral(-half, end - (last + 0.5) * level_width));
  }
  return sum;
}

ValueRange Histogram::best_range() const {
  if (range_.min == range_.max) return range_;
  std::vector<double> sums(counts_.size());
  std::partial_sum(counts_.begin(), counts_.end(), sums.begin());
  const double total = sums.back();
  const auto sum = [&](std::int64_t bin) { return sums[static_cast<std::size_t>(bin)]; };
  double low = 0;
  double high = 1;
  std::int64_t first = 0;
  std::int64_t last = kBins - 1;
  double least = std::numeric_limits<double>::infinity();
  while (low < high) {
    std::int64_t left = first;
    std::int64_t right = last;
    while (left < last && sum(left) < (low + kQuantileStep) * total) ++left;
    while (right > first && sum(right) > (high - kQuantileStep) * total) --right;
    const bool from_left = left - first > last - right;
    (from_left ? low : high) += from_left ? kQuantileStep : -kQuantileStep;
    const std::int64_t next_first = from_left ? left : first;
    const std::int64_t next_last = from_left ? last : right;
    if (next_first == first && next_last == last) continue;
    const double next = error(next_first, next_last);
    if (next > least) break;
    least = next;
    first = next_first;
    last = next_last;
  }
  const double bin_width = width_of(range_) / kBins;
  return {static_cast<float>(range_.min + bin_width * static_cast<double>(first)),
          static_cast<float>(range_.min + bin_width * static_cast<double>(last + 1))};
}

}  // namespace lathe::compression

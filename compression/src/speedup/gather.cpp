#include "speedup/gather.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

namespace lathe::compression {
namespace {

/// Neighbours that stay together and are copied at once.
struct Stretch {
  std::int64_t begin = 0;
  std::int64_t size = 0;
};

std::vector<Stretch> stretches_of(const std::vector<std::int64_t>& positions) {
  std::vector<Stretch> stretches;
  for (const std::int64_t position : positions) {
    if (!stretches.empty() && stretches.back().begin + stretches.back().size == position)
      ++stretches.back().size;
    else
      stretches.push_back({position, 1});
  }
  return stretches;
}

std::vector<std::int64_t> all_of(std::int64_t size) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(size));
  std::iota(positions.begin(), positions.end(), std::int64_t{0});
  return positions;
}

/// Copies a tensor in memory order, axis by axis, down to the last that loses something.
class Copier {
 public:
  Copier(const at::Tensor& whole, const KeptPositions& kept) {
    auto bytes = static_cast<std::int64_t>(whole.element_size());
    for (std::int64_t axis = whole.dim() - 1; axis >= 0; --axis) {
      const auto found = kept.find(axis);
      const auto positions = found == kept.end() ? all_of(whole.size(axis)) : found->second;
      axes_.push_back({positions, stretches_of(positions), bytes, 0});
      bytes *= whole.size(axis);
    }
    std::reverse(axes_.begin(), axes_.end());
    last_ = static_cast<std::size_t>(kept.rbegin()->first);
    std::int64_t left = whole.element_size();
    for (auto axis = axes_.rbegin(); axis != axes_.rend(); ++axis) {
      axis->result_bytes = left;
      left *= static_cast<std::int64_t>(axis->positions.size());
    }
  }

  void copy(const std::byte* from, std::byte* to) const {
    if (last_ == 0) return copy_axis(0, from, to);  // its stretches are large
    const Axis& rows = axes_.front();
    at::parallel_for(0, static_cast<std::int64_t>(rows.positions.size()), grain(), [&](auto begin, auto end) {
      for (std::int64_t i = begin; i < end; ++i)
        copy_axis(1, from + rows.positions[static_cast<std::size_t>(i)] * rows.bytes, to + i * rows.result_bytes);
    });
  }

 private:
  struct Axis {
    std::vector<std::int64_t> positions;
    std::vector<Stretch> stretches;
    std::int64_t bytes = 0;         ///< from one position to the next
    std::int64_t result_bytes = 0;  ///< likewise, in the result
  };

  /// Rows that are worth a thread of their own.
  [[nodiscard]] std::int64_t grain() const {
    constexpr std::int64_t kBytes = 1 << 20;
    return std::max<std::int64_t>(1, kBytes / std::max<std::int64_t>(1, axes_.front().result_bytes));
  }

  void copy_axis(std::size_t index, const std::byte* from, std::byte* to) const {
    const Axis& axis = axes_[index];
    if (index == last_) {
      for (const Stretch& stretch : axis.stretches) {
        const std::int64_t size = stretch.size * axis.bytes;
        std::memcpy(to, from + stretch.begin * axis.bytes, static_cast<std::size_t>(size));
        to += size;
      }
      return;
    }
    for (const std::int64_t position : axis.positions) {
      copy_axis(index + 1, from + position * axis.bytes, to);
      to += axis.result_bytes;
    }
  }

  std::vector<Axis> axes_;
  std::size_t last_ = 0;
};

at::Tensor select_by_axis(at::Tensor part, const KeptPositions& kept) {
  for (const auto& [axis, positions] : kept)
    part = part.index_select(axis, at::tensor(positions, at::kLong).to(part.device()));
  return part.contiguous();
}

}  // namespace

at::Tensor gather(const at::Tensor& whole, const KeptPositions& kept) {
  const at::Tensor source = whole.detach();
  if (kept.empty()) return source.clone();
  if (!source.is_cpu() || source.layout() != at::kStrided) return select_by_axis(source, kept);
  const at::Tensor ordered = source.contiguous();
  std::vector<std::int64_t> sizes = ordered.sizes().vec();
  for (const auto& [axis, positions] : kept)
    sizes.at(static_cast<std::size_t>(axis)) = static_cast<std::int64_t>(positions.size());
  at::Tensor part = at::empty(sizes, ordered.options());
  if (part.numel() > 0)
    Copier(ordered, kept)
        .copy(static_cast<const std::byte*>(ordered.data_ptr()), static_cast<std::byte*>(part.data_ptr()));
  return part;
}

}  // namespace lathe::compression

#include <algorithm>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/ones_like.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pruning/pruners.hpp"
#include "pruning/selection.hpp"

namespace lathe::compression {
namespace {

using Sizes = std::vector<std::int64_t>;

/// A tensor cut into blocks of equal shape: [blocks along each axis …, places in a block …].
struct Blocks {
  Sizes split;         ///< each axis of the tensor as blocks and places in a block
  Sizes blocks_first;  ///< the permutation that puts all block axes before all places
  Sizes places_back;   ///< and the one that undoes it
  std::int64_t size = 1;
};

Blocks blocks_of(c10::IntArrayRef shape, const Sizes& gran) {
  Blocks blocks;
  const std::size_t dims = shape.size();
  blocks.blocks_first.resize(2 * dims);
  blocks.places_back.resize(2 * dims);
  for (std::size_t axis = 0; axis < dims; ++axis) {
    const std::size_t missing = dims - gran.size();
    const std::int64_t length = axis < missing ? 1 : gran[axis - missing];
    blocks.size *= length;
    blocks.split.push_back(shape[axis] / length);
    blocks.split.push_back(length);
    for (const std::size_t half : {std::size_t{0}, std::size_t{1}}) {
      blocks.blocks_first[half * dims + axis] = static_cast<std::int64_t>(2 * axis + half);
      blocks.places_back[2 * axis + half] = static_cast<std::int64_t>(half * dims + axis);
    }
  }
  return blocks;
}

at::Tensor block_rows(const at::Tensor& tensor, const Blocks& blocks) {
  return tensor.reshape(blocks.split).permute(blocks.blocks_first).reshape({-1, blocks.size}).contiguous();
}

at::Tensor balanced_mask(const at::Tensor& weight, const Sizes& gran, double sparsity, const at::Tensor& current) {
  const Blocks blocks = blocks_of(weight.sizes(), gran);
  const at::Tensor kept = current.defined() ? block_rows(current, blocks) : current;
  const at::Tensor rows = keep_largest_in_rows(block_rows(weight, blocks), pruned_count(blocks.size, sparsity), kept);
  Sizes grouped;
  for (const std::int64_t axis : blocks.blocks_first) grouped.push_back(blocks.split[static_cast<std::size_t>(axis)]);
  return rows.view(grouped).permute(blocks.places_back).reshape(weight.sizes()).contiguous();
}

template <class T>
bool all_zero(const T* values, std::int64_t size) {
  return std::all_of(values, values + size, [](T value) { return value == 0; });
}

/// A bias has nothing left to shift once its whole row is gone. Where there are no rows, as in a norm, it stays.
at::Tensor bias_mask(const Layer& layer, const at::Tensor& mask) {
  at::Tensor bias = at::ones_like(layer.bias.detach(), c10::TensorOptions().device(at::kCPU));
  const auto layout = filter_layout(layer, 1);
  if (!layout || mask.dim() < 2) return bias.to(layer.bias.device());
  const at::Tensor rows = filter_rows(mask, *layout).contiguous();
  AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "bias_mask", [&] {
    const auto* row = rows.data_ptr<scalar_t>();
    for (std::int64_t i = 0; i < rows.size(0); ++i, row += rows.size(1))
      if (all_zero(row, rows.size(1))) bias[i] = 0;
  });
  return bias.to(layer.bias.device());
}

Mask finished(const Layer& layer, const at::Tensor& weight_mask) {
  Mask mask;
  mask.weight = weight_mask.to(layer.weight.options().requires_grad(false));
  if (layer.bias.defined()) mask.bias = bias_mask(layer, weight_mask);
  return mask;
}

}  // namespace

Result<void> LevelPruner::check(const Layer& layer) const {
  if (layer.weight.numel() == 0) return fail(fmt::format("layer {}: its weight is empty", layer.name));
  if (balance_gran_.empty()) return {};
  const auto shape = layer.weight.sizes();
  const std::size_t dims = shape.size();
  bool fits = balance_gran_.size() <= dims;
  for (std::size_t i = 1; fits && i <= balance_gran_.size(); ++i)
    fits = shape[dims - i] % balance_gran_[balance_gran_.size() - i] == 0;
  if (fits) return {};
  return fail(fmt::format("layer {}: balance_gran [{}] does not divide its weight of shape [{}]", layer.name,
                          fmt::join(balance_gran_, ", "), fmt::join(shape, ", ")));
}

std::int64_t LevelPruner::count(const Layer& layer, double sparsity) const {
  if (balance_gran_.empty()) return Pruner::count(layer, sparsity);
  const std::int64_t block = blocks_of(layer.weight.sizes(), balance_gran_).size;
  return units(layer) / block * pruned_count(block, sparsity);
}

at::Tensor LevelPruner::metric(const Layer& layer) const {
  return selectable(layer.weight).abs().flatten();
}

Mask LevelPruner::mask_of_units(const Layer& layer, const at::Tensor& kept) const {
  return finished(layer, selectable(kept).view(layer.weight.sizes()));
}

at::Tensor LevelPruner::units_of_mask(const Layer& /*layer*/, const Mask& mask) const {
  return mask.weight.flatten();
}

Mask LevelPruner::mask(const Layer& layer, double sparsity, const Mask* current) const {
  const at::Tensor weight = selectable(layer.weight);
  const at::Tensor kept = current == nullptr ? at::Tensor() : current->weight.to(weight.options()).contiguous();
  if (!balance_gran_.empty()) return finished(layer, balanced_mask(weight, balance_gran_, sparsity, kept));
  return finished(layer, keep_largest(weight, count(layer, sparsity), kept));
}

}  // namespace lathe::compression

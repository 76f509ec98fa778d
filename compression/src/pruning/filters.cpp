#include "pruning/filters.hpp"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

Result<FilterLayout> transposed_layout(const Layer& layer, std::int64_t groups) {
  const std::int64_t inputs = layer.weight.size(0);
  const std::int64_t each = layer.weight.size(1);
  if (layer.bias.defined()) groups = layer.bias.numel() / each;
  if (groups >= 1 && inputs % groups == 0) return FilterLayout{groups * each, true, groups};
  return fail(
      fmt::format("layer {}: a {} with {} inputs cannot have {} groups", layer.name, layer.type, inputs, groups));
}

}  // namespace

bool is_transposed_convolution(const std::string& type) {
  return type.starts_with("ConvTranspose");
}

Result<FilterLayout> filter_layout(const Layer& layer, std::int64_t groups) {
  const bool transposed = is_transposed_convolution(layer.type);
  const std::int64_t least = transposed ? 3 : 1;
  if (layer.weight.dim() < least || layer.weight.numel() == 0) {
    return fail(fmt::format("layer {}: its weight has shape [{}]; a {} has at least {} dimensions, none of them empty",
                            layer.name, fmt::join(layer.weight.sizes(), ", "), layer.type, least));
  }
  auto layout = transposed ? transposed_layout(layer, groups) : Result<FilterLayout>({layer.weight.size(0), false, 1});
  if (layout && layer.bias.defined() && layer.bias.numel() != layout->filters) {
    return fail(fmt::format("layer {}: its bias has {} entries; expected one for each of {} filters", layer.name,
                            layer.bias.numel(), layout->filters));
  }
  return layout;
}

at::Tensor filter_rows(const at::Tensor& weight, const FilterLayout& layout) {
  if (!layout.transposed) return weight.reshape({layout.filters, -1});
  const std::int64_t inputs = weight.size(0) / layout.groups;
  return weight.reshape({layout.groups, inputs, weight.size(1), -1}).transpose(1, 2).reshape({layout.filters, -1});
}

at::Tensor spread_over_weight(const at::Tensor& filters, c10::IntArrayRef shape, const FilterLayout& layout) {
  std::vector<std::int64_t> along(shape.size(), 1);
  if (!layout.transposed) {
    along[0] = layout.filters;
    return filters.view(along).expand(shape);
  }
  along[1] = shape[1];
  along.insert(along.begin(), layout.groups);
  std::vector<std::int64_t> grouped(shape.begin(), shape.end());
  grouped[0] /= layout.groups;
  grouped.insert(grouped.begin(), layout.groups);
  return filters.view(along).expand(grouped).reshape(shape);
}

}  // namespace lathe::compression

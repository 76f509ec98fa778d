// What the tracer knows about parameters, and about views of them.
#include <ATen/ops/zeros.h>

#include "speedup/mask_slices.hpp"
#include "speedup/tracer.hpp"

namespace lathe::compression {

std::string Tracer::path(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return entry && !entry->is_view ? entry->path : std::string();
}

bool Tracer::is_parameter(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return entry && !entry->path.empty();
}

std::optional<ParameterAxis> Tracer::parameter_axis(const at::Tensor& tensor, std::int64_t axis) const {
  const Known* entry = find(tensor);
  if (!entry || entry->path.empty()) return std::nullopt;
  if (!entry->is_view) return ParameterAxis{entry->path, axis};
  const auto& original = entry->axes.at(static_cast<std::size_t>(axis));
  if (!original) return std::nullopt;
  return ParameterAxis{entry->path, *original};
}

void Tracer::note_view(const at::Tensor& tensor, const at::Tensor& view,
                       const std::vector<std::optional<std::int64_t>>& axes) {
  const Known* source = find(tensor);
  if (!source) return;
  const std::string path = source->path;
  const bool constant = source->constant;
  std::vector<std::optional<std::int64_t>> original;
  for (const auto& axis : axes) {
    const auto found = axis ? parameter_axis(tensor, *axis) : std::nullopt;
    original.push_back(found ? std::optional(found->axis) : std::nullopt);
  }
  asked_.insert(path);
  if (view.is_same(tensor)) return;
  Known& entry = known(view);
  entry.path = path;
  entry.constant = constant;
  entry.axes = std::move(original);
  entry.is_view = true;
}

std::vector<Label> Tracer::labels_of(const ParameterAxis& axis, std::int64_t size) {
  asked_.insert(axis.path);
  auto& labels = trace_.parameters[axis];
  if (labels.empty()) labels = table().fresh(static_cast<std::size_t>(size));
  return labels;
}

void Tracer::bind(const ParameterAxis& axis, const std::vector<Label>& labels) {
  table().unite(labels_of(axis, static_cast<std::int64_t>(labels.size())), labels);
}

at::Tensor Tracer::masked_slices(const at::Tensor& tensor, std::int64_t axis) const {
  const auto original = parameter_axis(tensor, axis);
  const auto mask = original ? masks_.find(original->path) : masks_.end();
  if (mask == masks_.end()) return at::zeros({tensor.size(axis)}, at::kBool);
  return zero_slices(mask->second, original->axis);
}

}  // namespace lathe::compression

#include "speedup/slice.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <unordered_map>

#include <ATen/ops/tensor.h>

namespace lathe::compression {
namespace {

using torch::jit::Module;

/// Every parameter and buffer by path; one tensor may stand under several.
std::map<std::string, at::Tensor> tensors_of(const Module& model) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : model.named_parameters()) tensors.emplace(name, tensor);
  for (const auto& [name, tensor] : model.named_buffers()) tensors.emplace(name, tensor);
  return tensors;
}

/// What the removed channels added to every output of the layer.
at::Tensor folded_constants(const Fold& fold, const at::Tensor& weight) {
  at::Tensor matrix = weight.detach().to(at::kDouble).movedim({fold.mixing.out.axis, fold.mixing.in.axis}, {0, 1});
  if (matrix.dim() > 2) matrix = matrix.flatten(2).sum(2);
  return matrix.matmul(at::tensor(fold.constant, at::kDouble).to(matrix.device()));
}

void apply_folds(const std::map<std::string, at::Tensor>& tensors, const Plan& plan) {
  for (const auto& fold : plan.folds) {
    const at::Tensor constants = folded_constants(fold, tensors.at(fold.mixing.in.path));
    const bool has_bias = !fold.mixing.bias.empty();
    at::Tensor target = tensors.at(has_bias ? fold.mixing.bias : fold.mixing.batch_mean).detach();
    target.copy_(has_bias ? target.to(at::kDouble).add(constants) : target.to(at::kDouble).sub(constants));
  }
}

/// The smaller tensor in place of each one that loses channels.
std::unordered_map<const c10::TensorImpl*, at::Tensor> cut(const std::map<std::string, at::Tensor>& tensors,
                                                           const Plan& plan) {
  std::unordered_map<const c10::TensorImpl*, at::Tensor> smaller;
  for (const auto& [axis, kept] : plan.kept) {
    const at::Tensor& whole = tensors.at(axis.path);
    at::Tensor& part = smaller.try_emplace(whole.unsafeGetTensorImpl(), whole.detach()).first->second;
    part = part.index_select(axis.axis, at::tensor(kept, at::kLong).to(whole.device()));
    part.set_requires_grad(whole.requires_grad());
  }
  return smaller;
}

/// A class constant that counts channels, and where the weight says how many.
struct Count {
  std::string_view name;
  std::int64_t axis;
  bool times_groups;
};
constexpr std::array<Count, 5> kCounts{{{"out_channels", 0, false},
                                        {"in_channels", 1, true},
                                        {"out_features", 0, false},
                                        {"in_features", 1, false},
                                        {"num_features", 0, false}}};

void set_constant(c10::ClassType& type, const std::string& name, std::int64_t value) {
  if (!type.hasConstant(name) || !type.getConstant(name).isInt()) return;
  type.unsafeRemoveConstant(name);
  type.addConstant(name, value);
}

std::int64_t int_constant(const c10::ClassType& type, const std::string& name, std::int64_t otherwise) {
  if (!type.hasConstant(name) || !type.getConstant(name).isInt()) return otherwise;
  return type.getConstant(name).toInt();
}

void update_constants(const Module& module, const at::Tensor& weight) {
  auto& type = *module.type();
  std::int64_t groups = int_constant(type, "groups", 1);
  const bool is_depthwise = groups > 1 && weight.dim() > 1 && weight.size(1) == 1;
  if (is_depthwise) {
    const std::int64_t multiplier = int_constant(type, "out_channels", groups) / groups;
    groups = weight.size(0) / std::max<std::int64_t>(multiplier, 1);
    set_constant(type, "groups", groups);
  }
  for (const auto& count : kCounts)
    if (count.axis < weight.dim())
      set_constant(type, std::string(count.name), weight.size(count.axis) * (count.times_groups ? groups : 1));
}

}  // namespace

void apply_slices(Module& model, const Plan& plan) {
  const auto tensors = tensors_of(model);
  apply_folds(tensors, plan);
  const auto smaller = cut(tensors, plan);
  for (Module module : model.modules()) {
    const auto& type = *module.type();
    for (std::size_t slot = 0; slot < type.numAttributes(); ++slot) {
      const auto value = module._ivalue()->getSlot(slot);
      if (!value.isTensor()) continue;
      const auto found = smaller.find(value.toTensor().unsafeGetTensorImpl());
      if (found == smaller.end()) continue;
      module._ivalue()->setSlot(slot, found->second);
      if (type.getAttributeName(slot) == "weight") update_constants(module, found->second);
    }
  }
}

}  // namespace lathe::compression

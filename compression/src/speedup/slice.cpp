#include "speedup/slice.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <ATen/ops/cat.h>

#include "speedup/fold.hpp"
#include "speedup/gather.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Module;
using Tensors = std::map<std::string, at::Tensor>;

/// Every parameter and buffer by path; one tensor may stand under several.
Tensors tensors_of(const Module& model) {
  Tensors tensors;
  for (const auto& [name, tensor] : model.named_parameters()) tensors.emplace(name, tensor);
  for (const auto& [name, tensor] : model.named_buffers()) tensors.emplace(name, tensor);
  return tensors;
}

/// Biases and means with the constants in them, by path.
Tensors folded_tensors(const Tensors& tensors, const Plan& plan) {
  Tensors folded;
  for (const auto& fold : plan.folds) {
    const auto rows = plan.kept.find(fold.mixing.out);
    const at::Tensor constants =
        folded_constants(fold, tensors.at(fold.mixing.in.path), rows == plan.kept.end() ? nullptr : &rows->second);
    const bool has_bias = !fold.mixing.bias.empty();
    const std::string& path = has_bias ? fold.mixing.bias : fold.mixing.batch_mean;
    const at::Tensor target = (folded.contains(path) ? folded : tensors).at(path).detach();
    const at::Tensor exact = target.to(at::kDouble);
    folded[path] = (has_bias ? exact.add(constants) : exact.sub(constants)).to(target.scalar_type());
  }
  return folded;
}

at::Tensor cut_groups(const at::Tensor& whole, const GroupedCut& cut) {
  const auto groups = static_cast<std::int64_t>(cut.rows.size());
  const std::int64_t rows = whole.size(0) / groups;
  std::vector<at::Tensor> parts;
  for (std::size_t group = 0; group < cut.rows.size(); ++group) {
    if (cut.rows[group].empty()) continue;
    const at::Tensor part = whole.narrow(0, static_cast<std::int64_t>(group) * rows, rows);
    parts.push_back(gather(part, {{0, cut.rows[group]}, {1, cut.columns[group]}}));
  }
  return at::cat(parts, 0);
}

/// A class constant that counts channels, and the axis of the weight that says how many.
struct Count {
  const char* name;
  std::int64_t axis;
};

void set_constant(c10::ClassType& type, const std::string& name, std::int64_t value) {
  if (!type.hasConstant(name) || !type.getConstant(name).isInt()) return;
  if (type.getConstant(name).toInt() == value) return;
  type.unsafeRemoveConstant(name);
  type.addConstant(name, value);
}

std::int64_t int_constant(const c10::ClassType& type, const std::string& name, std::int64_t otherwise) {
  if (!type.hasConstant(name) || !type.getConstant(name).isInt()) return otherwise;
  return type.getConstant(name).toInt();
}

/// Filters and input channels of each group follow the weight's axes, the groups follow from the input's channels.
void update_convolution(c10::ClassType& type, const at::Tensor& weight, bool transposed, std::int64_t groups) {
  if (int_constant(type, "groups", 1) > 1) set_constant(type, "groups", groups);
  set_constant(type, transposed ? "in_channels" : "out_channels", weight.size(0));
  set_constant(type, transposed ? "out_channels" : "in_channels", weight.size(1) * groups);
}

void update_module(const Module& module, const at::Tensor& weight, const GroupedCut* cut) {
  auto& type = *module.type();
  const std::string name = type.name()->name();
  if (name.find("Conv") != std::string::npos && weight.dim() > 2) {
    const bool transposed = name.find("Transpose") != std::string::npos;
    const std::int64_t before = int_constant(type, transposed ? "in_channels" : "out_channels", weight.size(0));
    std::int64_t groups = int_constant(type, "groups", 1);
    const bool depthwise = groups > 1 && groups == int_constant(type, "in_channels", 0);
    if (depthwise) groups = weight.size(0) / std::max<std::int64_t>(1, before / groups);
    if (cut) groups = std::count_if(cut->rows.begin(), cut->rows.end(), [](const auto& rows) { return !rows.empty(); });
    return update_convolution(type, weight, transposed, groups);
  }
  static constexpr Count kCounts[] = {{"out_features", 0}, {"in_features", 1},    {"num_features", 0},
                                      {"num_channels", 0}, {"num_parameters", 0}, {"embedding_dim", 1}};
  const std::int64_t channels = int_constant(type, "num_channels", 0);
  if (channels > 0) set_constant(type, "num_groups", int_constant(type, "num_groups", 1) * weight.size(0) / channels);
  for (const auto& count : kCounts)
    if (count.axis < weight.dim()) set_constant(type, count.name, weight.size(count.axis));
}

/// The list with replaced elements; nothing when none of them is to be replaced.
std::optional<c10::IValue> replaced_list(const c10::IValue& value, const Replacements& replacements) {
  c10::List<at::Tensor> list;
  bool any = false;
  for (const at::Tensor& tensor : value.toTensorVector()) {
    const auto found = replacements.find(tensor.unsafeGetTensorImpl());
    any |= found != replacements.end();
    list.push_back(found == replacements.end() ? tensor : found->second);
  }
  if (!any) return std::nullopt;
  return list;
}

}  // namespace

void replace_tensors(Module& model, const Replacements& replacements) {
  for (Module module : model.modules()) {
    for (std::size_t slot = 0; slot < module.type()->numAttributes(); ++slot) {
      const auto value = module._ivalue()->getSlot(slot);
      if (value.isTensorList()) {
        if (auto list = replaced_list(value, replacements)) module._ivalue()->setSlot(slot, *list);
        continue;
      }
      if (!value.isTensor()) continue;
      const auto found = replacements.find(value.toTensor().unsafeGetTensorImpl());
      if (found != replacements.end()) module._ivalue()->setSlot(slot, found->second);
    }
  }
}

Replacements cut_tensors(const Module& model, const Plan& plan) {
  const Tensors tensors = tensors_of(model);
  Tensors changed = folded_tensors(tensors, plan);
  const auto current = [&](const std::string& path) {
    return changed.contains(path) ? changed.at(path) : tensors.at(path).detach();
  };
  std::map<std::string, KeptPositions> kept;
  for (const auto& [axis, positions] : plan.kept) kept[axis.path].emplace(axis.axis, positions);
  for (const auto& [path, positions] : kept) changed[path] = gather(current(path), positions);
  for (const auto& [path, cut] : plan.grouped) changed[path] = cut_groups(current(path), cut);
  Replacements replacements;
  for (auto& [path, tensor] : changed) {
    tensor.set_requires_grad(tensors.at(path).requires_grad());
    replacements.emplace(tensors.at(path).unsafeGetTensorImpl(), tensor);
  }
  return replacements;
}

void update_constants(Module& model, const Plan& plan) {
  for (const auto& [name, module] : model.named_modules()) {
    if (!module.hasattr("weight") || !module.attr("weight").isTensor()) continue;
    const at::Tensor weight = module.attr("weight").toTensor();
    const auto cut = plan.grouped.find(name.empty() ? "weight" : name + ".weight");
    if (weight.defined()) update_module(module, weight, cut == plan.grouped.end() ? nullptr : &cut->second);
  }
}

}  // namespace lathe::compression

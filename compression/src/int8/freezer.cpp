#include "int8/freezer.hpp"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include "graph/inliner.hpp"

namespace lathe::compression {
namespace {

namespace prim = c10::prim;

c10::IValue attribute_at(torch::jit::Module module, const std::string& path) {
  std::size_t start = 0;
  std::size_t dot = path.find('.');
  for (; dot != std::string::npos; start = dot + 1, dot = path.find('.', start))
    module = module.attr(path.substr(start, dot - start)).toModule();
  return module.attr(path.substr(start));
}

std::string owner_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

bool is_weight(const std::string& path) {
  return path == "weight" || path.ends_with(".weight");
}

}  // namespace

Freezer::Freezer(const FlatGraph& tapped, const std::vector<TensorGrid>& grids) : tapped_(tapped), grids_(grids) {
  frozen_.graph_ = std::make_shared<torch::jit::Graph>();
  frozen_.grids_ = &grids;
  for (std::size_t i = 0; i < grids.size(); ++i) grids_by_tap_[{grids[i].tapped, grids[i].place}].push_back(i);
  for (const auto& [name, module] : tapped.model().named_modules()) types_[name] = module.type()->name()->name();
}

FrozenGraph Freezer::run() {
  copy_inputs();
  copy_block(tapped_.graph()->block(), frozen_.graph_->block());
  for (Value* output : tapped_.graph()->outputs()) frozen_.graph_->registerOutput(values_.at(output));
  return std::move(frozen_);
}

/// The module, the one input, and of the other arguments their defaults.
void Freezer::copy_inputs() {
  const auto& arguments = tapped_.model().get_method("forward").function().getSchema().arguments();
  const auto inputs = tapped_.graph()->inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (i < 2) {
      values_[inputs[i]] = frozen_.graph_->addInput()->copyMetadata(inputs[i]);
      continue;
    }
    const auto& value = arguments.at(i).default_value();
    if (!value) throw std::runtime_error(fmt::format("its argument `{}` has no default", arguments[i].name()));
    values_[inputs[i]] = constant(*value, frozen_.graph_->block());
  }
}

void Freezer::copy_block(Block* source, Block* target) {
  for (Node* node : source->nodes()) copy_node(node, target);
}

void Freezer::copy_node(Node* node, Block* target) {
  if (node->kind() == tap_kind()) return copy_tap(node, target);
  if (node->kind() == prim::GetAttr && tapped_.attribute_path(node->output())) return copy_attribute(node, target);
  copy_plain(node, target);
}

void Freezer::copy_plain(Node* node, Block* target) {
  Node* copy = target->appendNode(frozen_.graph_->createClone(
      node, [&](Value* value) { return values_.at(value); }, /*copy_blocks=*/false));
  if (node->kind() != prim::Constant) copy->s_(place_attribute(), tapped_.describe(node));
  for (std::size_t i = 0; i < node->outputs().size(); ++i) values_[node->outputs()[i]] = copy->outputs()[i];
  for (Block* source : node->blocks()) {
    Block* inner = copy->addBlock();
    for (Value* input : source->inputs()) values_[input] = inner->addInput()->copyMetadata(input);
    copy_block(source, inner);
    for (Value* output : source->outputs()) inner->registerOutput(values_.at(output));
  }
}

void Freezer::copy_attribute(Node* node, Block* target) {
  const std::string path = *tapped_.attribute_path(node->output());
  c10::IValue value = attribute_at(tapped_.model(), path);
  if (value.isModule()) return copy_plain(node, target);
  if (value.isTensor() && value.toTensor().defined()) {
    const at::Tensor tensor = value.toTensor().detach().clone();
    if (is_weight(path)) note_weight(owner_of(path), tensor, tensor, nullptr);
    value = tensor;
  }
  if (path == "training" || path.ends_with(".training")) value = false;
  values_[node->output()] = constant(value, target);
}

void Freezer::copy_tap(Node* node, Block* target) {
  const TapSite& site = *tapped_.tap_site(node);
  Value* value = values_.at(node->input());
  if (const auto found = grids_by_tap_.find({site.layer, site.place}); found != grids_by_tap_.end()) {
    for (const std::size_t index : found->second) value = simulate(value, index, node, target);
  }
  values_[node->output()] = value;
}

torch::jit::Value* Freezer::simulate(Value* value, std::size_t index, Node* tap, Block* target) {
  const TensorGrid& grid = grids_[index];
  if (grid.place == TapPlace::Weight) {
    const at::Tensor floats = frozen_.weight(value)->values;
    const at::Tensor simulated = grid.weight.detach().clone();
    note_weight(grid.layer, floats, simulated, &grid);
    return constant(simulated, target);
  }
  if (!grid.grid) {
    throw std::runtime_error(fmt::format("the levels of the {} of layer `{}` are no multiples of a scale",
                                         grid.place == TapPlace::Input ? "input" : "output", grid.layer));
  }
  if (grid.is_sign) return simulate_sign(value, index, tap, target);
  const QuantGrid& levels = *grid.grid;
  std::vector<Value*> inputs{value};
  const bool per_channel = levels.scale.size() > 1;
  if (per_channel) {
    inputs.push_back(constant(at::tensor(levels.scale), target));
    inputs.push_back(constant(at::tensor(levels.zero_point).to(at::kInt), target));
    inputs.push_back(constant(levels.axis, target));
  } else {
    inputs.push_back(constant(static_cast<double>(levels.scale.front()), target));
    inputs.push_back(constant(levels.zero_point.front(), target));
  }
  inputs.push_back(constant(levels.levels.min, target));
  inputs.push_back(constant(levels.levels.max, target));
  const char* kind = per_channel ? "aten::fake_quantize_per_channel_affine" : "aten::fake_quantize_per_tensor_affine";
  Node* node = target->appendNode(frozen_.graph_->create(c10::Symbol::fromQualString(kind), inputs));
  node->i_(grid_attribute(), static_cast<std::int64_t>(index));
  node->s_(place_attribute(), tapped_.describe(tap));
  return node->output();
}

/// 2 (x >= 0) - 1
torch::jit::Value* Freezer::simulate_sign(Value* value, std::size_t index, Node* tap, Block* target) {
  const auto append = [&](const char* kind, const std::vector<Value*>& inputs) {
    Node* node = target->appendNode(frozen_.graph_->create(c10::Symbol::fromQualString(kind), inputs));
    node->s_(place_attribute(), tapped_.describe(tap));
    return node;
  };
  Value* is_positive = append("aten::ge", {value, constant(0, target)})->output();
  Value* twice = append("aten::mul", {is_positive, constant(2.0, target)})->output();
  Node* sign = append("aten::sub", {twice, constant(1.0, target), constant(1, target)});
  sign->i_(grid_attribute(), static_cast<std::int64_t>(index));
  return sign->output();
}

torch::jit::Value* Freezer::constant(const c10::IValue& value, Block* target) {
  const torch::jit::WithInsertPoint at_end(target);
  const auto made = torch::jit::tryInsertConstant(*frozen_.graph_, value);
  if (!made)
    throw std::runtime_error(fmt::format("an attribute of type {} cannot be a constant", value.type()->repr_str()));
  return *made;
}

void Freezer::note_weight(const std::string& layer, const at::Tensor& values, const at::Tensor& constant,
                          const TensorGrid* grid) {
  frozen_.alive_.push_back(constant);
  frozen_.weights_[constant.unsafeGetTensorImpl()] = {layer, types_[layer], values, grid};
}

}  // namespace lathe::compression

#include "speedup/tracer.hpp"

#include <algorithm>
#include <array>

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include "graph/schema.hpp"
#include "speedup/numbers.hpp"
#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;

constexpr const char* kNotUnderstood = "speed-up does not understand how this operator uses channels";

/// Nodes that only move references to tensors about, or ask for their sizes.
bool moves_references(const Node* node) {
  static constexpr std::array<std::string_view, 4> kContainers{"aten::__getitem__", "aten::append", "aten::list",
                                                               "aten::values"};
  const std::string_view name = node->kind().toQualString();
  return name.starts_with("prim::") || std::find(kContainers.begin(), kContainers.end(), name) != kContainers.end();
}

bool has_tensor(const c10::IValue& value) {
  return !tensors_in(value).empty();
}

}  // namespace

c10::IValue Call::argument(const char* name) const {
  const auto index = argument_index(node, name);
  return index ? inputs.at(*index) : c10::IValue();
}

at::Tensor Call::tensor(const char* name) const {
  const auto value = argument(name);
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

at::Tensor Call::first() const {
  return !inputs.empty() && inputs[0].isTensor() ? inputs[0].toTensor() : at::Tensor();
}

std::string_view Call::name() const {
  std::string_view name = node->kind().toQualString();
  if (!name.starts_with("aten::")) return {};
  name.remove_prefix(6);
  if (name.ends_with('_') && !name.ends_with("__")) name.remove_suffix(1);
  return name;
}

c10::IValue Call::rerun(const Values& instead) const {
  torch::jit::Stack stack(instead.begin(), instead.end());
  node->getOperation()(stack);
  return stack.at(0);
}

std::vector<at::Tensor> tensors_in(const c10::IValue& value) {
  std::vector<at::Tensor> tensors;
  const auto add_all = [&](const auto& elements) {
    for (const auto& element : elements)
      for (auto& tensor : tensors_in(element)) tensors.push_back(tensor);
  };
  if (value.isTensor() && value.toTensor().defined()) tensors.push_back(value.toTensor());
  if (value.isList()) add_all(value.toListRef());
  if (value.isTuple()) add_all(value.toTupleRef().elements());
  if (value.isGenericDict())
    for (const auto& entry : value.toGenericDict())
      for (auto& tensor : tensors_in(entry.value())) tensors.push_back(tensor);
  return tensors;
}

Rule find_rule(std::string_view name) {
  for (const auto table : {layer_rules, norm_rules, recurrent_rules, pointwise_rules, join_rules, spatial_rules,
                           shape_rules, part_rules, concat_rules, reduce_rules, product_rules})
    if (const auto rule = table().find(name); rule != table().end()) return rule->second;
  return nullptr;
}

Tracer::Tracer(const FlatGraph& flat, const PathMasks& masks) : flat_(flat), masks_(masks) {
  const auto add = [&](const auto& attributes) {
    for (const auto& [name, tensor] : attributes) {
      Known& entry = known(tensor);
      if (entry.path.empty()) entry.path = name;
      entry.constant = true;
    }
  };
  add(flat.model().named_parameters());
  add(flat.model().named_buffers());
}

void Tracer::prepare(const Node* node, const Values& inputs) {
  if (is_watched(node)) trace_.calls.push_back({node, numbers_of_call(node, inputs), {}, {}});
}

void Tracer::observe(const Call& call) {
  if (call.node->kind() == c10::prim::Constant) {
    for (const auto& tensor : tensors_in(call.outputs.at(0))) known(tensor).constant = true;
    return;
  }
  if (moves_references(call.node)) return;
  apply_rule(call);
  note_outputs(call);
}

void Tracer::apply_rule(const Call& call) {
  if (std::none_of(call.outputs.begin(), call.outputs.end(), has_tensor)) return;
  asked_.clear();
  if (const Rule rule = find_rule(call.name()))
    rule(*this, call);
  else
    refuse_unknown(call);
  keep_unasked(call);
  note_write(call);
}

void Tracer::refuse_unknown(const Call& call) {
  for (const auto& input : call.inputs)
    for (const auto& tensor : tensors_in(input)) keep(call, tensor, kNotUnderstood);
}

void Tracer::keep_unasked(const Call& call) {
  for (const auto& input : call.inputs) {
    for (const auto& tensor : tensors_in(input)) {
      const Known* entry = find(tensor);
      if (!entry || entry->path.empty() || asked_.contains(entry->path)) continue;
      fix_parameter(entry->path, describe(call), "the operator takes the parameter as it is");
    }
  }
}

void Tracer::fix_parameter(const std::string& path, const std::string& place, const std::string& reason) {
  fixed_parameters_.try_emplace(path, place, reason);
}

/// What is written into a tensor shows in the others that share its memory: nothing is known about those any more.
void Tracer::note_write(const Call& call) {
  const auto* schema = call.node->maybeSchema();
  const at::Tensor written = call.first();
  if (!schema || !written.defined() || !written.has_storage()) return;
  const auto* alias = schema->arguments().empty() ? nullptr : schema->arguments()[0].alias_info();
  if (!alias || !alias->isWrite()) return;
  for (auto& [impl, entry] : known_) {
    if (impl == written.unsafeGetTensorImpl() || !entry.channels) continue;
    const auto other = entry.alive->lock();
    if (!other || !other->has_storage() || !other->storage().is_alias_of(written.storage())) continue;
    pin(labels_in(entry.channels->labels));
    entry.channels->dead = at::zeros_like(entry.channels->dead);
  }
}

MadeTensor Tracer::made_tensor(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return {tensor.scalar_type(), tensor.sizes().vec(),
          entry && entry->channels ? entry->channels->labels : at::Tensor()};
}

void Tracer::note_outputs(const Call& call) {
  if (trace_.calls.empty() || trace_.calls.back().node != call.node) return;
  const at::Tensor first = call.first();
  for (const auto& value : call.outputs) {
    MadeOutput& output = trace_.calls.back().outputs.emplace_back();
    const bool is_tensor = value.isTensor() && value.toTensor().defined();
    output.known = is_tensor || value.isTensorList();
    output.is_first_input = is_tensor && first.defined() && value.toTensor().is_same(first);
    if (is_tensor) output.tensors.push_back(made_tensor(value.toTensor()));
    if (value.isTensorList())
      for (const at::Tensor& tensor : value.toTensorVector()) output.tensors.push_back(made_tensor(tensor));
  }
}

void Tracer::finish(const c10::IValue& output) {
  for (const auto& tensor : tensors_in(output))
    if (const auto found = channels(tensor)) pin(labels_in(found->labels));
  for (const auto& [axis, labels] : trace_.parameters) {
    const auto fixed = fixed_parameters_.find(axis.path);
    if (fixed == fixed_parameters_.end()) continue;
    const std::size_t size = labels.size();
    trace_.consumers.push_back({fixed->second.first, labels, std::vector<char>(size, 0), std::vector<double>(size, 0),
                                std::vector<char>(size, 1), std::nullopt, fixed->second.second});
  }
  for (const auto& [path, weight] : trace_.grouped)
    if (fixed_parameters_.contains(path))
      for (const auto& columns : weight.columns) pin(columns);
  trace_.output = output;
}

Tracer::Known& Tracer::known(const at::Tensor& tensor) {
  const auto [entry, added] = known_.try_emplace(tensor.unsafeGetTensorImpl());
  if (added) entry->second.alive.emplace(tensor.getIntrusivePtr());
  return entry->second;
}

const Tracer::Known* Tracer::find(const at::Tensor& tensor) const {
  if (!tensor.defined()) return nullptr;
  const auto found = known_.find(tensor.unsafeGetTensorImpl());
  return found == known_.end() ? nullptr : &found->second;
}

std::optional<Channels> Tracer::channels(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return entry ? entry->channels : std::nullopt;
}

void Tracer::set(const at::Tensor& tensor, const Channels& channels, const Call& call) {
  Known& entry = known(tensor);
  if (channels.labels.numel() <= 1) {
    entry.channels.reset();
    return;
  }
  entry.channels = Channels{channels.labels.contiguous(), channels.dead.contiguous(), channels.value.contiguous()};
  add_product(*entry.channels, call);
}

void Tracer::add_product(const Channels& channels, const Call& call) {
  if (channel_axes(channels).size() < 2) return;
  trace_.products.push_back({describe(call), channels.labels.sizes().vec(), labels_in(channels.labels)});
}

bool Tracer::is_constant(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return entry && entry->constant;
}

void Tracer::pin(const std::vector<Label>& labels) {
  trace_.pinned.insert(trace_.pinned.end(), labels.begin(), labels.end());
}

std::vector<Label> Tracer::fixed(std::int64_t size) {
  auto labels = table().fresh(static_cast<std::size_t>(size));
  pin(labels);
  return labels;
}

void Tracer::keep(const Call& call, const at::Tensor& tensor, const std::string& reason) {
  if (const Known* entry = find(tensor); entry && !entry->path.empty())
    fix_parameter(entry->path, describe(call), reason);
  const auto found = channels(tensor);
  if (!found) return;
  read(call, labels_in(found->labels), found->dead).reason = reason;
}

Consumer& Tracer::read(const Call& call, const std::vector<Label>& labels, const at::Tensor& removable) {
  const std::size_t size = labels.size();
  trace_.consumers.push_back({describe(call),
                              labels,
                              flags_of(removable),
                              std::vector<double>(size, 0),
                              std::vector<char>(size, 1),
                              std::nullopt,
                              {}});
  return trace_.consumers.back();
}

void Tracer::count(const Call& call, const char* name, std::optional<std::size_t> element,
                   std::vector<std::vector<Label>> positions) {
  const auto index = argument_index(call.node, name);
  if (index && !trace_.calls.empty() && trace_.calls.back().node == call.node)
    trace_.calls.back().counts.push_back({*index, element, std::move(positions)});
}

ChannelTrace trace_channels(const FlatGraph& flat, const PathMasks& masks, const at::Tensor& example) {
  Tracer tracer(flat, masks);
  const auto output = interpret(
      flat, example,
      [&](const Node* node, const Values& inputs, const Values& outputs) {
        tracer.observe({node, inputs, outputs});
      },
      [&](const Node* node, const Values& inputs) {
        tracer.prepare(node, inputs);
        return nullptr;
      });
  tracer.finish(output);
  return tracer.take();
}

}  // namespace lathe::compression

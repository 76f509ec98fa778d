#include "speedup/tracer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "graph/schema.hpp"

namespace lathe::compression {
namespace {

/// Nodes that only move references to tensors about.
bool moves_references(const torch::jit::Node* node) {
  static constexpr std::array<std::string_view, 4> kContainers{"aten::__getitem__", "aten::append", "aten::list",
                                                               "aten::values"};
  const std::string_view name = node->kind().toQualString();
  return name.starts_with("prim::") || std::find(kContainers.begin(), kContainers.end(), name) != kContainers.end();
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

at::Tensor rows_of(const at::Tensor& tensor, std::int64_t axis) {
  return tensor.movedim(axis, 0).reshape({tensor.size(axis), -1});
}

std::vector<char> flags_of(const at::Tensor& tensor) {
  const auto bytes = tensor.to(at::kChar).cpu().contiguous();
  const auto* data = bytes.data_ptr<std::int8_t>();
  return {data, data + bytes.numel()};
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

void Tracer::observe(const Call& call) {
  if (call.node->kind() == c10::prim::Constant) {
    for (const auto& tensor : tensors_in(call.outputs.at(0))) known(tensor).constant = true;
    return;
  }
  if (moves_references(call.node)) return;
  const std::string name = call.node->kind().toQualString();
  for (const auto find_rule : {find_layer_rule, find_elementwise_rule, find_shape_rule})
    if (const Rule rule = find_rule(name)) return rule(*this, call);
  refuse_unknown(call);
}

void Tracer::refuse_unknown(const Call& call) {
  const auto has_tensor = [](const c10::IValue& value) { return !tensors_in(value).empty(); };
  if (std::none_of(call.outputs.begin(), call.outputs.end(), has_tensor)) return;  // sizes and the like
  for (const auto& input : call.inputs)
    for (const auto& tensor : tensors_in(input)) refuse(call, tensor);
}

void Tracer::finish(const c10::IValue& output) {
  for (const auto& tensor : tensors_in(output)) keep(tensor, "the model's output");
}

Tracer::Known& Tracer::known(const at::Tensor& tensor) {
  Known& entry = known_[tensor.unsafeGetTensorImpl()];
  entry.tensor = tensor;
  return entry;
}

const Tracer::Known* Tracer::find(const at::Tensor& tensor) const {
  const auto found = known_.find(tensor.unsafeGetTensorImpl());
  return found == known_.end() ? nullptr : &found->second;
}

const Channels* Tracer::channels(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return entry && entry->channels ? &*entry->channels : nullptr;
}

void Tracer::set(const at::Tensor& tensor, Channels channels) {
  known(tensor).channels = std::move(channels);
}

Channels Tracer::channels_or_fixed(const at::Tensor& tensor, std::int64_t axis) {
  if (const Channels* existing = channels(tensor)) return *existing;
  const auto size = static_cast<std::size_t>(tensor.size(axis));
  set(tensor, {axis, trace_.labels.fresh(size), std::vector<char>(size, 0)});
  keep(tensor, "the model's input");
  return *channels(tensor);
}

std::string Tracer::path(const at::Tensor& tensor) const {
  const Known* entry = tensor.defined() ? find(tensor) : nullptr;
  return entry ? entry->path : std::string();
}

bool Tracer::is_constant(const at::Tensor& tensor) const {
  const Known* entry = find(tensor);
  return entry && entry->constant;
}

void Tracer::note_transpose(const at::Tensor& parameter, const at::Tensor& view) {
  known(view).transpose_of = parameter;
}

at::Tensor Tracer::transposed_parameter(const at::Tensor& view) const {
  const Known* entry = find(view);
  return entry ? entry->transpose_of : at::Tensor();
}

std::vector<Label> Tracer::labels_of(const at::Tensor& parameter, std::int64_t axis) {
  auto& labels = trace_.parameters[{path(parameter), axis}];
  if (labels.empty()) labels = trace_.labels.fresh(static_cast<std::size_t>(parameter.size(axis)));
  return labels;
}

void Tracer::bind(const at::Tensor& parameter, std::int64_t axis, const std::vector<Label>& labels) {
  trace_.labels.unite(labels_of(parameter, axis), labels);
}

std::vector<char> Tracer::masked_slices(const at::Tensor& parameter, std::int64_t axis) const {
  const auto mask = masks_.find(path(parameter));
  if (mask == masks_.end()) return std::vector<char>(static_cast<std::size_t>(parameter.size(axis)), 0);
  return flags_of(rows_of(mask->second, axis).ne(0).any(1).logical_not());
}

void Tracer::keep(const at::Tensor& tensor, const std::string& place) {
  if (const Channels* read = channels(tensor)) {
    const std::size_t size = read->labels.size();
    trace_.consumers.push_back({place, read->labels, std::vector<char>(size, 0), std::vector<double>(size, 0),
                                std::vector<char>(size, 0), std::nullopt, true});
  }
}

void Tracer::refuse(const Call& call, const at::Tensor& tensor) {
  if (const Channels* read = channels(tensor)) {
    const std::size_t size = read->labels.size();
    trace_.consumers.push_back({describe(call), read->labels, read->dead, std::vector<double>(size, 0),
                                std::vector<char>(size, 1), std::nullopt, false});
  }
}

void Tracer::add_literal(const Call& call, const char* name, std::optional<std::size_t> element,
                         const std::vector<Label>& labels) {
  const auto index = argument_index(call.node, name);
  if (index) trace_.literals.push_back({call.node, *index, element, labels});
}

ChannelTrace trace_channels(const FlatGraph& flat, const PathMasks& masks, const at::Tensor& example) {
  Tracer tracer(flat, masks);
  const auto output =
      interpret(flat, example, [&](const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
        tracer.observe({node, inputs, outputs});
      });
  tracer.finish(output);
  return tracer.take();
}

}  // namespace lathe::compression

#include "onnx/trace.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <string_view>

#include <ATen/Functions.h>
#include <fmt/format.h>

namespace lathe::compression::onnx_out {
namespace {

using torch::jit::Node;

/// Operators that turn a tensor into a number of the program.
bool reads_values(const Node* node) {
  static constexpr std::array<std::string_view, 10> kReaders{
      "aten::item",           "aten::Bool",          "aten::Int",   "aten::Float",      "aten::IntImplicit",
      "aten::ScalarImplicit", "aten::FloatImplicit", "aten::equal", "aten::is_nonzero", "prim::tolist"};
  return std::find(kReaders.begin(), kReaders.end(), node->kind().toQualString()) != kReaders.end();
}

/// The outputs of a model with their names.
void name_outputs(const c10::IValue& value, const std::string& name,
                  std::vector<std::pair<std::string, at::Tensor>>& found) {
  if (value.isTensor()) {
    found.emplace_back(name, value.toTensor());
  } else if (value.isTuple() || value.isList()) {
    const auto elements = value.isTuple() ? value.toTupleRef().elements().vec() : value.toListRef().vec();
    for (std::size_t i = 0; i < elements.size(); ++i) name_outputs(elements[i], fmt::format("{}_{}", name, i), found);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      const std::string key = entry.key().isString() ? entry.key().toStringRef() : fmt::format("{}", found.size());
      name_outputs(entry.value(), name + "_" + key, found);
    }
  }
}

const void* storage_of(const at::Tensor& tensor) {
  return tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

}  // namespace

Trace::Trace(const FlatGraph& flat, const std::vector<std::unique_ptr<Probe>>& probes, QuantizedTaps* taps,
             const TraceOptions& options)
    : flat_(flat), probes_(probes), taps_(taps), options_(options) {
  for (const auto& [name, tensor] : flat.model().named_parameters()) add_constant(tensor, name);
  for (const auto& [name, tensor] : flat.model().named_buffers()) add_constant(tensor, name);
}

void Trace::begin(const at::Tensor& input) {
  Sizes sizes = fixed_sizes(input.sizes().vec());
  if (!probes_.empty()) sizes[0] = {1, 0};
  graph_.add_input({options_.input_name, input.scalar_type(), sizes});
  flow_.add_input(input);
  bind(input, options_.input_name);
  known_[input].sizes = sizes;
}

void Trace::add_constant(const at::Tensor& tensor, const std::string& path) {
  Known& known = known_[tensor];
  if (known.constant.defined()) return;
  known.constant = tensor;
  known.path = path;
  known.name.clear();
  known.storage = storage_of(tensor);
}

std::string Trace::name_of(const at::Tensor& tensor) {
  if (known_.find(tensor) == nullptr) add_constant(tensor, "");
  Known& known = known_[tensor];
  if (known.stale) throw Unsupported("it reads a tensor that was changed in place through another view of it");
  if (!known.constant.defined()) return known.name;
  const auto version = static_cast<std::int64_t>(tensor._version());
  if (known.name.empty() || known.version != version) {
    known.name = graph_.constant(tensor, known.path.empty() ? "constant" : known.path);
    known.version = version;
  }
  return known.name;
}

void Trace::bind(const at::Tensor& tensor, const std::string& name) {
  Known& known = known_[tensor];
  known.name = name;
  known.constant.reset();
  known.storage = storage_of(tensor);
  known.stale = false;
}

Sizes Trace::sizes_of(const at::Tensor& tensor) const {
  const Known* known = known_.find(tensor);
  return known != nullptr && known->sizes.size() == tensor.sizes().size() ? known->sizes
                                                                          : fixed_sizes(tensor.sizes().vec());
}

bool Trace::is_constant(const at::Tensor& tensor) const {
  const Known* known = known_.find(tensor);
  return known == nullptr || known->constant.defined();
}

std::string Trace::batch() {
  if (batch_.empty()) {
    const std::string shape = graph_.add("Shape", {options_.input_name});
    batch_ = graph_.add("Gather", {shape, graph_.integers({0})}, {{"axis", 0}});
  }
  return batch_;
}

std::vector<const SeenStep*> Trace::probes_of(const Node* node) {
  std::vector<const SeenStep*> steps;
  for (const auto& probe : probes_) {
    if (step_ >= probe->steps().size() || probe->steps()[step_].node != node) {
      throw std::runtime_error(fmt::format("what runs depends on the batch size, from {} on", flat_.describe(node)));
    }
    steps.push_back(&probe->steps()[step_]);
  }
  ++step_;
  return steps;
}

void Trace::note_sizes(const std::vector<const SeenStep*>& probes, const Values& outputs) {
  if (probes.empty()) return;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::size_t k = 0;
    for (const at::Tensor& tensor : all_tensors({outputs[i]})) {
      const auto& first = probes[0]->outputs.at(i).shapes.at(k);
      const auto& second = probes[1]->outputs.at(i).shapes.at(k++);
      Sizes sizes;
      for (std::size_t axis = 0; axis < first.size(); ++axis) {
        const auto size = SizeFit::fit(static_cast<double>(tensor.size(static_cast<std::int64_t>(axis))),
                                       static_cast<double>(first[axis]), static_cast<double>(second.at(axis)));
        if (!size) throw Unsupported("a size of its result does not grow linearly with the batch");
        sizes.push_back(*size);
      }
      known_[tensor].sizes = sizes;
    }
  }
}

bool Trace::same_everywhere(const Node* node, const std::vector<const SeenStep*>& probes, const Values& outputs) const {
  const auto here = look_at_outputs(node, outputs, flow_);
  return std::all_of(probes.begin(), probes.end(), [&](const SeenStep* probe) {
    for (std::size_t i = 0; i < here.size(); ++i) {
      const Seen& there = probe->outputs.at(i);
      if (there.shapes != here[i].shapes || there.hash != here[i].hash || there.numbers != here[i].numbers)
        return false;
    }
    return true;
  });
}

void Trace::observe(const Node* node, const Values& inputs, const Values& outputs) {
  const auto probes = probes_of(node);
  const bool quantized = taps_ != nullptr && taps_->at(node) != nullptr;
  const bool in_place = is_in_place(node, inputs);
  const auto results = all_tensors(outputs);
  const bool nothing_new = std::all_of(results.begin(), results.end(),
                                       [&](const at::Tensor& tensor) { return known_.find(tensor) != nullptr; });
  flow_.step(node, inputs, outputs, quantized);
  if (results.empty() && reads_values(node) && flow_.any_data(inputs)) {
    problems_.push_back(flat_.describe(node) + ": it makes the program depend on the values of the data");
  }
  if (results.empty() || (nothing_new && !in_place)) return;
  const Origin* origin = flat_.origin(node);
  if (origin != nullptr) graph_.set_scope(origin->module);
  if (!flow_.any_data(outputs) && same_everywhere(node, probes, outputs)) {
    for (const at::Tensor& tensor : results) add_constant(tensor, "");
    return;
  }
  try {
    note_sizes(probes, outputs);
    OpCall call(node, inputs, outputs, probes, graph_, *this);
    if (!write_number(call, probes, outputs)) write_down(call, node, inputs, outputs);
  } catch (const Unsupported& reason) {
    refuse(node, reason.what(), outputs);
  }
  if (in_place) outdate_views(inputs[0].toTensor());
}

bool Trace::write_number(OpCall& call, const std::vector<const SeenStep*>& probes, const Values& outputs) {
  if (probes.empty() || outputs.size() != 1 || !outputs[0].isTensor()) return false;
  const at::Tensor tensor = outputs[0].toTensor();
  const auto& first = probes[0]->outputs[0].numbers;
  const auto& second = probes[1]->outputs[0].numbers;
  if (flow_.is_data(tensor) || tensor.numel() != 1 || first.size() != 1 || second.size() != 1) return false;
  const auto size = SizeFit::fit(tensor.item().toDouble(), first[0], second[0]);
  if (!size) return false;
  std::string value = call.shape({*size});
  if (tensor.dim() != 1) value = call.reshape(value, fixed_sizes({1}), fixed_sizes(tensor.sizes().vec()));
  bind(tensor, call.cast(value, at::kLong, tensor.scalar_type()));
  return true;
}

void Trace::write_down(OpCall& call, const Node* node, const Values& inputs, const Values& outputs) {
  std::set<const c10::TensorImpl*> before;
  for (const at::Tensor& tensor : all_tensors(inputs)) before.insert(tensor.unsafeGetTensorImpl());
  for (const at::Tensor& tensor : all_tensors(outputs))
    if (!before.contains(tensor.unsafeGetTensorImpl())) known_[tensor].name.clear();
  write_operator(call, node, inputs);
  for (const at::Tensor& tensor : all_tensors(outputs)) {
    Known& known = known_[tensor];
    if (known.name.empty() && !known.constant.defined()) {
      bind(tensor, graph_.add_problem(flat_.describe(node) + ": its further results have no counterpart in ONNX"));
    }
  }
}

void Trace::write_operator(OpCall& call, const Node* node, const Values& inputs) {
  if (const QuantizedTensor* quantized = taps_ == nullptr ? nullptr : taps_->at(node)) {
    return taps_->write(call, *quantized, inputs.at(0).toTensor(), call.result());
  }
  const Origin* origin = flat_.origin(node);
  const bool batch_norm = node->kind() == c10::Symbol::aten("batch_norm");
  if (taps_ != nullptr && batch_norm && origin != nullptr) {
    if (const FoldablePair* pair = taps_->folded_batch_norm(origin->module)) return write_folded(call, *pair);
  }
  const OnnxRule rule = find_onnx_rule(node->kind().toQualString());
  if (rule == nullptr) throw Unsupported("there is no counterpart in ONNX that Lathe knows");
  rule(call);
}

/// The convolution's weight has the normalisation in it already; here comes the rest of it, as the bias.
void Trace::write_folded(OpCall& call, const FoldablePair& pair) {
  const std::string convolution = call.in("input");
  const std::string bias = graph_.constant(taps_->folded_bias(pair), pair.convolution + ".bias_folded");
  GraphNode* node = graph_.producer(convolution);
  if (node == nullptr || node->type != "Conv") throw Unsupported("its convolution is not where it can be folded into");
  node->inputs.resize(3);
  node->inputs[2] = bias;
  call.out(convolution);
}

void Trace::refuse(const Node* node, const std::string& reason, const Values& outputs) {
  const std::string value = graph_.add_problem(flat_.describe(node) + ": " + reason);
  for (const at::Tensor& tensor : all_tensors(outputs)) bind(tensor, value);
}

void Trace::outdate_views(const at::Tensor& tensor) {
  const void* storage = storage_of(tensor);
  known_.for_each([&](const c10::TensorImpl* address, Known& known) {
    if (storage != nullptr && known.storage == storage && address != tensor.unsafeGetTensorImpl()) known.stale = true;
  });
}

Result<Graph> Trace::finish(const c10::IValue& output) {
  for (const auto& probe : probes_) {
    if (probe->steps().size() != step_) throw std::runtime_error("how often a loop runs depends on the batch size");
  }
  std::vector<std::pair<std::string, at::Tensor>> outputs;
  name_outputs(output, options_.output_name, outputs);
  if (outputs.empty()) return fail("the model returns no tensor");
  graph_.set_scope("");
  for (const auto& [name, tensor] : outputs) {
    try {
      graph_.add_output(name_of(tensor), {name, tensor.scalar_type(), sizes_of(tensor)});
    } catch (const Unsupported& reason) {
      problems_.push_back(fmt::format("output `{}`: {}", name, reason.what()));
    }
  }
  Graph graph = graph_.take(flat_.model().type()->name()->name());
  for (const GraphNode& node : graph.nodes)
    if (!node.problem.empty()) problems_.push_back(node.problem);
  if (problems_.empty()) return graph;
  std::string all;
  std::set<std::string> told;
  for (const std::string& problem : problems_)
    if (told.insert(problem).second) all += "\n  " + problem;
  return fail("the model cannot be written as ONNX:" + all);
}

}  // namespace lathe::compression::onnx_out

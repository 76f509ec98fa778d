#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/layer_graph.hpp>

#include "measure/observed_run.hpp"
#include "measure/visit_tensors.hpp"

namespace lathe::compression {
namespace {

/// Where a tensor comes from: nodes, when it depends on the input, and else the parameter that it was made of.
struct Source {
  std::set<std::size_t> nodes;
  std::string parameter;
};

/// `conv1` of `conv1.weight`.
std::string owner_of(const std::string& parameter) {
  const auto dot = parameter.rfind('.');
  return dot == std::string::npos ? "" : parameter.substr(0, dot);
}

/// `add` of aten::add and aten::add_.
std::string name_of(const torch::jit::Node* node) {
  std::string name = node->kind().toUnqualString();
  if (name.ends_with('_')) name.pop_back();
  return name;
}

/// Such an operator with a parameter, e.g. a learned position, makes no layer.
bool is_elementwise(const std::string& name) {
  return name == "add" || name == "sub" || name == "mul" || name == "div";
}

class Drawing {
 public:
  Drawing(const FlatGraph& flat, const at::Tensor& input) : flat_(flat) {
    for (const auto& layer : layers_of(flat.model())) types_.emplace(layer.name, layer.type);
    const std::size_t node = add("", "input", input.sizes().vec(), {});
    remember(input, {{node}, {}});
  }

  void observe(const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
    if (node->kind() == torch::jit::prim::GetAttr) return name_parameter(node, outputs);
    // Lists, tuples and branches hand on the tensors that they get.
    if (node->kind().is_prim()) return;
    const auto [source, weight] = sources_of(inputs);
    Source made{source, source.empty() ? weight : ""};
    const std::string name = name_of(node);
    if (!source.empty() && !weight.empty() && !is_elementwise(name)) {
      const std::string layer = owner_of(weight);
      made.nodes = {add(layer, type_of(layer), shape_of(outputs), source)};
    } else if (source.size() > 1 && makes_tensor(outputs)) {
      made.nodes = {add("", name, shape_of(outputs), source)};
    }
    for (const auto& output : outputs) visit_tensors(output, [&](const at::Tensor& tensor) { remember(tensor, made); });
  }

  [[nodiscard]] LayerGraph finish(const c10::IValue& output) {
    std::set<std::size_t> source;
    visit_tensors(output, [&](const at::Tensor& tensor) {
      if (const Source* known = find(tensor)) source.insert(known->nodes.begin(), known->nodes.end());
    });
    add("", "output", shape_of({output}), source);
    std::sort(graph_.edges.begin(), graph_.edges.end());
    return std::move(graph_);
  }

 private:
  using Identity = const c10::TensorImpl*;

  void name_parameter(const torch::jit::Node* node, const Values& outputs) {
    const auto path = flat_.attribute_path(node->output());
    if (!path || !outputs.at(0).isTensor()) return;
    const at::Tensor& tensor = outputs[0].toTensor();
    if (tensor.defined() && tensor.dim() >= 2) remember(tensor, {{}, *path});
  }

  /// The nodes behind all inputs, and the first parameter among them.
  std::pair<std::set<std::size_t>, std::string> sources_of(const Values& inputs) {
    std::pair<std::set<std::size_t>, std::string> found;
    for (const auto& input : inputs) {
      visit_tensors(input, [&](const at::Tensor& tensor) {
        const Source* source = find(tensor);
        if (source == nullptr) return;
        found.first.insert(source->nodes.begin(), source->nodes.end());
        if (found.second.empty()) found.second = source->parameter;
      });
    }
    return found;
  }

  std::size_t add(std::string layer, std::string type, Shape output, const std::set<std::size_t>& from) {
    const std::size_t node = graph_.nodes.size();
    graph_.nodes.push_back({std::move(layer), std::move(type), std::move(output)});
    for (const std::size_t each : from) graph_.edges.emplace_back(each, node);
    return node;
  }

  [[nodiscard]] std::string type_of(const std::string& layer) const {
    const auto known = types_.find(layer);
    return known == types_.end() ? "" : known->second;
  }

  static bool makes_tensor(const Values& outputs) { return outputs.size() == 1 && outputs[0].isTensor(); }

  static Shape shape_of(const Values& outputs) {
    return !outputs.empty() && outputs[0].isTensor() && outputs[0].toTensor().defined()
               ? outputs[0].toTensor().sizes().vec()
               : Shape{};
  }

  [[nodiscard]] const Source* find(const at::Tensor& tensor) const {
    const auto known = sources_.find(tensor.unsafeGetTensorImpl());
    return known == sources_.end() ? nullptr : &known->second;
  }

  /// A weak reference keeps the address of a tensor that is gone from being another's, without its memory.
  void remember(const at::Tensor& tensor, Source source) {
    if (!tensor.defined()) return;
    if (sources_.insert_or_assign(tensor.unsafeGetTensorImpl(), std::move(source)).second)
      references_.emplace_back(tensor.getIntrusivePtr());
  }

  const FlatGraph& flat_;
  LayerGraph graph_;
  std::unordered_map<std::string, std::string> types_;
  std::unordered_map<Identity, Source> sources_;
  std::vector<c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>> references_;
};

}  // namespace

Result<LayerGraph> layer_graph(const torch::jit::Module& model, const at::Tensor& example) {
  LayerGraph graph;
  std::shared_ptr<Drawing> drawing;
  const auto watch = [&](const FlatGraph& flat) -> Observer {
    drawing = std::make_shared<Drawing>(flat, example);
    return [&drawing = *drawing](const auto* node, const auto& inputs, const auto& outputs) {
      drawing.observe(node, inputs, outputs);
    };
  };
  const auto done =
      run_observed(model, example, watch, [&](const c10::IValue& output) { graph = drawing->finish(output); });
  if (!done) return tl::unexpected(done.error());
  return graph;
}

}  // namespace lathe::compression

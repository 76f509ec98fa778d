#include <lathe/compression/flat_graph.hpp>

#include <filesystem>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "graph/inliner.hpp"
#include "graph/schema.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Operators with a weight that compression counts and prunes.
bool is_layer_kind(const Node* node) {
  static const std::set<std::string_view> kinds{"aten::conv1d",           "aten::conv2d",
                                                "aten::conv3d",           "aten::_convolution",
                                                "aten::convolution",      "aten::conv_transpose1d",
                                                "aten::conv_transpose2d", "aten::conv_transpose3d",
                                                "aten::linear",           "aten::addmm",
                                                "aten::matmul",           "aten::mm"};
  return kinds.contains(node->kind().toQualString());
}

/// The value that holds the weight, seen through the transpose that addmm and matmul want.
const Value* weight_value(const Node* node) {
  for (const char* name : {"weight", "mat2", "other"}) {
    const Value* value = argument(node, name);
    if (!value) continue;
    const bool transposed = value->node()->kind() == c10::aten::t;
    return transposed ? value->node()->input(0) : value;
  }
  return nullptr;
}

std::vector<std::int64_t> int_list(const Node* node, const char* name) {
  const Value* value = argument(node, name);
  const c10::IValue constant = value ? constant_value(value) : c10::IValue();
  return constant.isIntList() ? constant.toIntVector() : std::vector<std::int64_t>{};
}

/// Path of the module that owns attribute `path`, and that module.
std::pair<std::string, torch::jit::Module> owner_of(torch::jit::Module module, const std::string& path) {
  std::size_t start = 0;
  std::size_t dot = path.find('.');
  for (; dot != std::string::npos; start = dot + 1, dot = path.find('.', start))
    module = module.attr(path.substr(start, dot - start)).toModule();
  return {start == 0 ? std::string() : path.substr(0, start - 1), module};
}

LayerOp layer_op(const Node* node, const torch::jit::Module& model, const std::string& weight) {
  const auto [layer, module] = owner_of(model, weight);
  LayerOp op{node,
             layer,
             weight,
             module.type()->name()->name(),
             int_list(node, "stride"),
             int_list(node, "padding"),
             int_list(node, "dilation")};
  if (const Value* groups = argument(node, "groups"))
    if (const auto constant = constant_value(groups); constant.isInt()) op.groups = constant.toInt();
  if (const Value* transposed = argument(node, "transposed"))
    if (const auto constant = constant_value(transposed); constant.isBool()) op.transposed = constant.toBool();
  op.transposed |= std::string_view(node->kind().toQualString()).find("transpose") != std::string_view::npos;
  return op;
}

std::string source_line(const Node* node) {
  auto range = node->sourceRange();
  if (auto python = range.findSourceRangeThatGenerated()) range = *python;
  const auto place = range.file_line_col();
  if (!place || std::get<0>(*place).empty()) return {};
  return fmt::format(" ({}:{})", std::filesystem::path(std::get<0>(*place)).filename().string(), std::get<1>(*place));
}

Result<FlatGraph> flatten(const torch::jit::Module& model, Inliner::Taps taps) {
  try {
    return Inliner(model, taps).run();
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(fmt::format("the model cannot be flattened: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace

Result<FlatGraph> FlatGraph::of(const torch::jit::Module& model) {
  return flatten(model, Inliner::Taps::None);
}

Result<FlatGraph> FlatGraph::with_taps(const torch::jit::Module& model) {
  return flatten(model, Inliner::Taps::Everywhere);
}

const TapSite* FlatGraph::tap_site(const Node* node) const {
  const auto found = taps_.find(node);
  return found == taps_.end() ? nullptr : &found->second;
}

const Origin* FlatGraph::origin(const Node* node) const {
  const auto found = origins_.find(node);
  return found == origins_.end() ? nullptr : &found->second;
}

std::optional<std::string> FlatGraph::attribute_path(const Value* value) const {
  const auto found = paths_.find(value);
  if (found == paths_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::vector<LayerOp> FlatGraph::layer_ops() const {
  std::vector<LayerOp> ops;
  const auto visit = [&](const auto& self, const torch::jit::Block* block) -> void {
    for (const Node* node : block->nodes()) {
      for (const auto* inner : node->blocks()) self(self, inner);
      const Value* weight = is_layer_kind(node) ? weight_value(node) : nullptr;
      const auto path = weight ? attribute_path(weight) : std::nullopt;
      if (path) ops.push_back(layer_op(node, model_, *path));
    }
  };
  visit(visit, graph_->block());
  return ops;
}

std::string FlatGraph::describe(const Node* node) const {
  const Origin* written = origin(node);
  const std::string module = !written || written->module.empty() ? "the model" : "`" + written->module + "`";
  return fmt::format("{} in {}{}", node->kind().toQualString(), module, source_line(node));
}

}  // namespace lathe::compression

#include <lathe/compression/channel_groups.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/flat_graph.hpp>

#include "pruning/channel_sets.hpp"
#include "pruning/filters.hpp"

namespace lathe::compression {
namespace {

/// Layers whose result reaches the model's output with no other layer between.
class OutputLayers {
 public:
  explicit OutputLayers(const FlatGraph& flat) {
    for (const auto& op : flat.layer_ops()) ops_.emplace(op.node, op.layer);
    for (const auto* output : flat.graph()->outputs()) visit(output);
  }

  [[nodiscard]] bool has(const std::string& layer) const { return layers_.contains(layer); }

 private:
  void visit(const torch::jit::Value* value) {
    const torch::jit::Node* node = value->node();
    if (!seen_.insert(node).second) return;
    if (const auto op = ops_.find(node); op != ops_.end()) {
      layers_.insert(op->second);
      return;
    }
    for (const auto* input : node->inputs()) visit(input);
    for (const auto* block : node->blocks())
      for (const auto* output : block->outputs()) visit(output);
  }

  std::map<const torch::jit::Node*, std::string> ops_;
  std::unordered_set<const torch::jit::Node*> seen_;
  std::set<std::string> layers_;
};

/// Every layer with its place for filters.
struct Candidates {
  std::vector<SelectedLayer> layers;
  std::vector<FilterLayout> layouts;
  std::vector<std::int64_t> filters;
};

Result<Candidates> candidates_of(const torch::jit::Module& model, const FlatGraph& flat) {
  std::map<std::string, std::int64_t> groups;
  for (const auto& op : flat.layer_ops()) groups.emplace(op.layer, op.groups);
  Candidates found;
  for (const auto& layer : layers_of(model)) {
    const auto known = groups.find(layer.name);
    if (known == groups.end()) continue;
    const auto layout = filter_layout(layer, known->second);
    if (!layout) return tl::unexpected(layout.error());
    found.layers.push_back({layer, {}});
    found.layouts.push_back(*layout);
    found.filters.push_back(layout->filters);
  }
  return found;
}

/// The first channel of each part, in every layer that makes it.
void mask_first_channels(Masks& masks, const ChannelSet& set, const Candidates& candidates) {
  const std::int64_t part = set.size / set.groups;
  for (std::size_t i = 0; i < set.layers.size(); ++i) {
    const Layer& layer = candidates.layers[set.layers[i]].layer;
    const FilterLayout& layout = candidates.layouts[set.layers[i]];
    at::Tensor kept = at::ones({layout.filters}, layer.weight.options().requires_grad(false));
    for (std::int64_t filter = 0; filter < layout.filters; ++filter)
      if (set.channels[i][static_cast<std::size_t>(filter)] % part == 0) kept[filter] = 0;
    masks[layer.name] = {spread_over_weight(kept, layer.weight.sizes(), layout),
                         layer.bias.defined() ? kept : at::Tensor()};
  }
}

Result<std::vector<KeptChannels>> try_to_cut(const torch::jit::Module& model, const Masks& masks,
                                             const at::Tensor& example) {
  const auto extended = extend_masks(model, masks, example);
  if (!extended) return tl::unexpected(extended.error());
  const auto report = speed_up(model, *extended, example);
  if (!report) return tl::unexpected(report.error());
  return report->kept;
}

void judge(ChannelGroup& group, const Result<std::vector<KeptChannels>>& tried) {
  if (!tried) {
    group.cutting = Cutting::Refused;
    group.reason = tried.error().message;
  } else if (!tried->empty()) {
    group.cutting = Cutting::Partial;
    group.kept = *tried;
  }
}

/// Parts of one channel have none to lose: neither do they say anything about the operators.
bool can_lose(const ChannelSet& set) {
  return set.size > set.groups;
}

void judge_all(std::vector<ChannelGroup>& groups, const std::vector<ChannelSet>& sets, const Candidates& candidates,
               const torch::jit::Module& model, const at::Tensor& example) {
  Masks all;
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (groups[i].cutting != Cutting::Output && can_lose(sets[i])) mask_first_channels(all, sets[i], candidates);
  const auto at_once = try_to_cut(model, all, example);
  if (at_once && at_once->empty()) return;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (groups[i].cutting == Cutting::Output || !can_lose(sets[i])) continue;
    Masks masks;
    mask_first_channels(masks, sets[i], candidates);
    judge(groups[i], try_to_cut(model, masks, example));
  }
}

Result<std::vector<ChannelGroup>> find(torch::jit::Module model, const at::Tensor& example) {
  model.eval();
  const auto flat = FlatGraph::of(model);
  if (!flat) return tl::unexpected(flat.error());
  const auto candidates = candidates_of(model, *flat);
  if (!candidates) return tl::unexpected(candidates.error());
  const auto sets = channel_sets(model, candidates->layers, candidates->filters, example);
  if (!sets) return tl::unexpected(sets.error());
  const OutputLayers outputs(*flat);
  std::vector<ChannelGroup> groups;
  for (const auto& set : *sets) {
    ChannelGroup group;
    for (const auto index : set.layers) {
      group.layers.push_back(candidates->layers[index].layer.name);
      if (outputs.has(group.layers.back())) group.cutting = Cutting::Output;
    }
    group.channels = set.size;
    group.parts = set.groups;
    groups.push_back(std::move(group));
  }
  judge_all(groups, *sets, *candidates, model, example);
  return groups;
}

}  // namespace

Result<std::vector<ChannelGroup>> channel_groups(const torch::jit::Module& model, const at::Tensor& example) {
  const at::NoGradGuard no_grad;
  try {
    return find(copy_model(model), example);
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    return fail(fmt::format("channel groups: {}", reason.substr(0, reason.find('\n'))));
  }
}

}  // namespace lathe::compression

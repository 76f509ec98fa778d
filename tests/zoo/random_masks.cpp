#include "random_masks.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <unordered_set>
#include <utility>

#include <ATen/ops/ones.h>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/speedup.hpp>

#include "pruning/channel_sets.hpp"
#include "pruning/filters.hpp"

namespace lathe::zoo {
namespace {

using compression::fail;
using compression::FilterLayout;
using compression::FlatGraph;
using compression::Layer;
using compression::Masks;
using compression::Result;

struct Target {
  Layer layer;
  FilterLayout layout;
};

/// Walks back from values to the layers that they come from.
class OutputSearch {
 public:
  explicit OutputSearch(const FlatGraph& flat) {
    for (const auto& op : flat.layer_ops()) ops_.emplace(op.node, op.layer);
  }

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

  [[nodiscard]] std::vector<std::string> layers() const { return {layers_.begin(), layers_.end()}; }

 private:
  std::map<const torch::jit::Node*, std::string> ops_;
  std::unordered_set<const torch::jit::Node*> seen_;
  std::set<std::string> layers_;
};

Result<std::vector<Target>> targets_of(const torch::jit::Module& model) {
  const auto flat = FlatGraph::of(model);
  if (!flat) return tl::unexpected(flat.error());
  const auto outputs = output_layers(model);
  if (!outputs) return tl::unexpected(outputs.error());
  std::map<std::string, std::int64_t> groups;
  for (const auto& op : flat->layer_ops()) groups.emplace(op.layer, op.groups);
  std::vector<Target> targets;
  for (const auto& layer : compression::layers_of(model)) {
    const auto known = groups.find(layer.name);
    if (known == groups.end() || std::count(outputs->begin(), outputs->end(), layer.name) != 0) continue;
    const auto layout = compression::filter_layout(layer, known->second);
    if (!layout) return tl::unexpected(layout.error());
    targets.push_back({layer, *layout});
  }
  return targets;
}

/// `count` of 0 … size - 1, by Fisher and Yates.
std::vector<std::int64_t> draw(std::int64_t size, std::int64_t count, std::mt19937_64& random) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto left = static_cast<std::uint64_t>(size - i);
    std::swap(all[static_cast<std::size_t>(i)],
              all[static_cast<std::size_t>(i + static_cast<std::int64_t>(random() % left))]);
  }
  all.resize(static_cast<std::size_t>(count));
  return all;
}

std::int64_t masked_count(std::int64_t filters, double sparsity) {
  const auto wanted = static_cast<std::int64_t>(static_cast<double>(filters) * sparsity);
  return std::min(std::max<std::int64_t>(wanted, 1), filters - 1);
}

/// As many in each of the equal parts.
std::vector<std::int64_t> draw_in_parts(std::int64_t size, std::int64_t parts, double sparsity,
                                        std::mt19937_64& random) {
  if (size % parts != 0) parts = 1;
  const std::int64_t part = size / parts;
  std::vector<std::int64_t> drawn;
  for (std::int64_t index = 0; index < parts; ++index)
    for (const auto channel : draw(part, masked_count(part, sparsity), random)) drawn.push_back(index * part + channel);
  return drawn;
}

compression::Mask mask_of(const Target& target, const std::vector<std::int64_t>& masked) {
  at::Tensor kept = at::ones({target.layout.filters}, target.layer.weight.options().requires_grad(false));
  for (const auto filter : masked) kept[filter] = 0;
  compression::Mask mask{compression::spread_over_weight(kept, target.layer.weight.sizes(), target.layout), {}};
  if (target.layer.bias.defined()) mask.bias = kept;
  return mask;
}

Masks independent(const std::vector<Target>& targets, double sparsity, std::mt19937_64& random) {
  Masks masks;
  for (const auto& target : targets) {
    const auto filters = target.layout.filters;
    masks.emplace(target.layer.name, mask_of(target, draw(filters, masked_count(filters, sparsity), random)));
  }
  return masks;
}

Result<Masks> aligned(const torch::jit::Module& model, const std::vector<Target>& targets, double sparsity,
                      const at::Tensor& example, std::mt19937_64& random) {
  std::vector<compression::SelectedLayer> layers;
  std::vector<std::int64_t> filters;
  for (const auto& target : targets) {
    compression::SelectedLayer selected;
    selected.layer = target.layer;
    layers.push_back(std::move(selected));
    filters.push_back(target.layout.filters);
  }
  const auto sets = compression::channel_sets(model, layers, filters, example);
  if (!sets) return tl::unexpected(sets.error());
  Masks masks;
  for (const auto& set : *sets) {
    const auto drawn = draw_in_parts(set.size, set.groups, sparsity, random);
    const std::set<std::int64_t> gone(drawn.begin(), drawn.end());
    for (std::size_t i = 0; i < set.layers.size(); ++i) {
      std::vector<std::int64_t> own;
      for (std::size_t filter = 0; filter < set.channels[i].size(); ++filter)
        if (gone.contains(set.channels[i][filter])) own.push_back(static_cast<std::int64_t>(filter));
      const auto& target = targets[set.layers[i]];
      if (static_cast<std::int64_t>(own.size()) == target.layout.filters) own.pop_back();
      masks.emplace(target.layer.name, mask_of(target, own));
    }
  }
  return masks;
}

}  // namespace

const char* name_of(MaskKind kind) {
  switch (kind) {
    case MaskKind::Plain:
      return "plain";
    case MaskKind::Extended:
      return "extended";
    case MaskKind::Aligned:
      return "aligned";
  }
  return "";
}

Result<std::vector<std::string>> output_layers(const torch::jit::Module& model) {
  const auto flat = FlatGraph::of(model);
  if (!flat) return tl::unexpected(flat.error());
  OutputSearch search(*flat);
  for (const auto* output : flat->graph()->outputs()) search.visit(output);
  return search.layers();
}

Result<Masks> random_masks(const torch::jit::Module& model, MaskKind kind, double sparsity, const at::Tensor& example,
                           std::uint64_t seed) try {
  std::mt19937_64 random(seed);
  const auto targets = targets_of(model);
  if (!targets) return tl::unexpected(targets.error());
  if (kind == MaskKind::Plain) return independent(*targets, sparsity, random);
  const auto masks = kind == MaskKind::Aligned ? aligned(model, *targets, sparsity, example, random)
                                               : Result<Masks>(independent(*targets, sparsity, random));
  if (!masks) return masks;
  return compression::extend_masks(model, *masks, example);
} catch (const std::exception& error) {
  const std::string reason = error.what();
  return fail("masks: " + reason.substr(0, reason.find('\n')));
}

}  // namespace lathe::zoo

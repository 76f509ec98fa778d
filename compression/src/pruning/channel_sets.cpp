#include "pruning/channel_sets.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include <c10/core/GradMode.h>

#include <lathe/compression/flat_graph.hpp>

#include "speedup/channel_trace.hpp"
#include "speedup/masked_model.hpp"

namespace lathe::compression {
namespace {

using Groups = std::map<Label, std::int64_t>;

std::string weight_path(const std::string& layer) {
  return layer.empty() ? "weight" : layer + ".weight";
}

/// Convolutions that have groups and are not depthwise.
std::vector<LayerOp> grouped_convolutions(const FlatGraph& flat) {
  std::map<std::string, at::Tensor> parameters;
  for (const auto& [name, tensor] : flat.model().named_parameters()) parameters.emplace(name, tensor);
  std::vector<LayerOp> grouped;
  for (const LayerOp& op : flat.layer_ops()) {
    const auto weight = parameters.find(op.weight);
    if (op.groups > 1 && weight != parameters.end() && weight->second.size(1) > 1) grouped.push_back(op);
  }
  return grouped;
}

/// For each channel label, the groups of the convolutions that read it.
Groups groups_of_readers(const FlatGraph& flat, const ChannelTrace& trace) {
  std::map<std::string, std::int64_t> places;
  for (const LayerOp& op : grouped_convolutions(flat)) {
    auto& groups = places.try_emplace(flat.describe(op.node), 1).first->second;
    groups = std::lcm(groups, op.groups);
  }
  Groups groups;
  for (const Consumer& consumer : trace.consumers) {
    const auto reader = places.find(consumer.place);
    if (reader == places.end()) continue;
    for (const Label label : consumer.labels) {
      auto& common = groups.try_emplace(trace.labels.group(label), 1).first->second;
      common = std::lcm(common, reader->second);
    }
  }
  return groups;
}

/// The label of what each filter of each layer makes; labels of their own where the trace has none.
std::vector<std::vector<Label>> labels_of_filters(const ChannelTrace& trace, const std::vector<SelectedLayer>& layers,
                                                  const std::vector<std::int64_t>& filters) {
  Label own = -1;
  std::vector<std::vector<Label>> labels(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto known = trace.parameters.find({weight_path(layers[i].layer.name), 0});
    const bool fits = known != trace.parameters.end() && known->second.size() == static_cast<std::size_t>(filters[i]);
    for (std::int64_t filter = 0; filter < filters[i]; ++filter)
      labels[i].push_back(fits ? trace.labels.group(known->second[static_cast<std::size_t>(filter)]) : own--);
  }
  return labels;
}

/// Puts layers that share a label into one set: the index of the first layer of its set, for each layer.
std::vector<std::size_t> first_of_set(const std::vector<std::vector<Label>>& labels) {
  std::vector<std::size_t> first(labels.size());
  std::map<Label, std::size_t> seen;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    first[i] = i;
    for (const Label label : labels[i]) {
      const std::size_t a = first[seen.try_emplace(label, i).first->second];
      const std::size_t b = first[i];
      for (std::size_t k = 0; k <= i; ++k)
        if (first[k] == std::max(a, b)) first[k] = std::min(a, b);
    }
  }
  return first;
}

void add_layer(ChannelSet& set, std::map<Label, std::int64_t>& numbers, std::size_t layer,
               const std::vector<Label>& labels) {
  set.layers.push_back(layer);
  auto& channels = set.channels.emplace_back();
  for (const Label label : labels) {
    const auto [number, is_new] = numbers.try_emplace(label, set.size);
    if (is_new) ++set.size;
    channels.push_back(number->second);
  }
}

/// Equal parts mean something only where every layer of the set makes all of its channels in the same order.
bool in_order(const ChannelSet& set) {
  return std::all_of(set.channels.begin(), set.channels.end(), [&](const std::vector<std::int64_t>& channels) {
    return std::is_sorted(channels.begin(), channels.end()) && channels.size() == static_cast<std::size_t>(set.size);
  });
}

/// A weight with the label of each of its positions.
struct LabelledWeight {
  ChannelWeight weight;
  std::vector<Label> labels;
};

/// Every weight along each axis that makes, scales or reads channels, once.
class WeightFinder {
 public:
  WeightFinder(const torch::jit::Module& model, const ChannelTrace& trace) : trace_(trace) {
    for (const auto& [name, tensor] : model.named_parameters()) parameters_.emplace(name, tensor);
  }

  std::vector<LabelledWeight> run() {
    for (const ParameterAxis& axis : trace_.made) add(axis);
    for (const PassThrough& layer : trace_.pass_through) add({layer.weight, 0});
    for (const Consumer& consumer : trace_.consumers)
      if (consumer.mixing) add(consumer.mixing->in);
    return std::move(found_);
  }

 private:
  void add(const ParameterAxis& axis) {
    const auto parameter = parameters_.find(axis.path);
    if (parameter == parameters_.end() || !seen_.insert(axis).second) return;
    const auto grouped = trace_.grouped.find(axis.path);
    if (grouped != trace_.grouped.end() && axis.axis == 1) return add_columns(parameter->second, grouped->second);
    const auto labels = trace_.parameters.find(axis);
    if (labels != trace_.parameters.end()) add(parameter->second, axis.axis, 1, labels->second);
  }

  void add_columns(const at::Tensor& weight, const GroupedWeight& grouped) {
    std::vector<Label> labels;
    for (const auto& block : grouped.columns) labels.insert(labels.end(), block.begin(), block.end());
    add(weight, 1, static_cast<std::int64_t>(grouped.columns.size()), labels);
  }

  void add(const at::Tensor& weight, std::int64_t axis, std::int64_t groups, const std::vector<Label>& labels) {
    LabelledWeight& added = found_.emplace_back(LabelledWeight{{weight, axis, groups, {}}, {}});
    for (const Label label : labels) added.labels.push_back(trace_.labels.group(label));
  }

  const ChannelTrace& trace_;
  std::map<std::string, at::Tensor> parameters_;
  std::set<ParameterAxis> seen_;
  std::vector<LabelledWeight> found_;
};

/// Those that have a channel of the set; `numbers` are its channels by label.
std::vector<ChannelWeight> weights_of_set(const std::vector<LabelledWeight>& weights,
                                          const std::map<Label, std::int64_t>& numbers) {
  std::vector<ChannelWeight> members;
  for (const LabelledWeight& each : weights) {
    ChannelWeight member = each.weight;
    bool any = false;
    for (const Label label : each.labels) {
      const auto number = numbers.find(label);
      member.channels.push_back(number == numbers.end() ? -1 : number->second);
      any |= number != numbers.end();
    }
    if (any) members.push_back(std::move(member));
  }
  return members;
}

std::map<std::string, std::int64_t> own_groups(const FlatGraph& flat) {
  std::map<std::string, std::int64_t> groups;
  for (const LayerOp& op : grouped_convolutions(flat)) groups[op.layer] = op.groups;
  return groups;
}

}  // namespace

Result<std::vector<ChannelSet>> channel_sets(const torch::jit::Module& model, const std::vector<SelectedLayer>& layers,
                                             const std::vector<std::int64_t>& filters, const at::Tensor& example) {
  const c10::NoGradGuard no_grad;
  const auto flat = FlatGraph::of(masked_copy(model, {}));
  if (!flat) return tl::unexpected(flat.error());
  const ChannelTrace trace = trace_channels(*flat, {}, example);
  const auto labels = labels_of_filters(trace, layers, filters);
  const auto first = first_of_set(labels);
  const auto read_in = groups_of_readers(*flat, trace);
  const auto made_in = own_groups(*flat);
  const auto weights = WeightFinder(model, trace).run();
  std::vector<ChannelSet> sets;
  for (std::size_t begin = 0; begin < layers.size(); ++begin) {
    if (first[begin] != begin) continue;
    ChannelSet set;
    std::map<Label, std::int64_t> numbers;
    for (std::size_t i = begin; i < layers.size(); ++i) {
      if (first[i] != begin) continue;
      add_layer(set, numbers, i, labels[i]);
      const auto own = made_in.find(layers[i].layer.name);
      if (own != made_in.end()) set.groups = std::lcm(set.groups, own->second);
    }
    for (const auto& [label, number] : numbers) {
      const auto reader = read_in.find(label);
      if (reader != read_in.end()) set.groups = std::lcm(set.groups, reader->second);
    }
    set.weights = weights_of_set(weights, numbers);
    if (!in_order(set) || set.size % set.groups != 0) set.groups = 1;
    sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace lathe::compression

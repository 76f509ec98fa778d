#include "speedup/mixing.hpp"

#include <cmath>

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace lathe::compression {
namespace {

constexpr const char* kOtherAxis = "the layer works across another axis than the one that carries these channels";
constexpr const char* kUnknownWeight = "the weight of this operator is computed, not a parameter";

/// Path of the running mean of the batch norm that alone reads the node's output; empty: there is none.
std::string batch_mean_behind(const torch::jit::Node* node, const FlatGraph& flat) {
  const torch::jit::Node* batch_norm = nullptr;
  if (node->outputs().size() != 1) return {};
  for (const auto& use : node->output()->uses()) {
    const std::string_view name = use.user->kind().toQualString();
    if (name == "aten::dim" || name == "aten::size") continue;
    if (name != "aten::batch_norm" || use.offset != 0 || batch_norm) return {};
    batch_norm = use.user;
  }
  return batch_norm ? flat.attribute_path(batch_norm->namedInput("running_mean")).value_or("") : std::string();
}

/// Notes the values of channels that may go: whether they can be folded, and what then.
void set_constants(Consumer& consumer, const Channels& channels, const at::Tensor& unread, bool everywhere) {
  const auto* value = channels.value.data_ptr<double>();
  const auto ignored = flags_of(unread);
  for (std::size_t i = 0; i < consumer.labels.size(); ++i) {
    if (!consumer.removable[i] || ignored[i]) continue;
    consumer.foldable[i] = value[i] == 0 || (everywhere && std::isfinite(value[i]));
    consumer.constant[i] = std::isfinite(value[i]) ? value[i] : 0;
  }
}

/// Which channels of the input no filter reads, by the mask.
at::Tensor unread_channels(const Tracer& tracer, const MixingLayer& layer) {
  const at::Tensor unread = tracer.masked_slices(layer.weight, layer.in_axis);
  // With groups a column is another channel in each: masks do not tell them apart here.
  if (layer.groups > 1) return at::zeros({layer.input.size(layer.axis)}, at::kBool);
  return unread;
}

void add_consumer(Tracer& tracer, const Call& call, const MixingLayer& layer, const Channels& read) {
  const at::Tensor unread = unread_channels(tracer, layer);
  Consumer& consumer = tracer.read(call, labels_in(read.labels), read.dead.reshape({-1}).logical_or(unread));
  Mixing mixing{*tracer.parameter_axis(layer.weight, layer.out_axis),
                *tracer.parameter_axis(layer.weight, layer.in_axis),
                layer.groups,
                tracer.path(layer.bias),
                {}};
  if (!layer.bias.defined()) mixing.batch_mean = batch_mean_behind(call.node, tracer.flat());
  consumer.mixing = std::move(mixing);
  set_constants(consumer, read, unread, layer.everywhere);
}

/// What the layer makes: a masked filter gives its bias.
Channels made_channels(Tracer& tracer, const MixingLayer& layer, std::int64_t dimensions,
                       const std::vector<Label>& labels) {
  Channels made = live_channels(dimensions, layer.axis, labels);
  made.dead.copy_(tracer.masked_slices(layer.weight, layer.out_axis).view(made.dead.sizes()));
  if (layer.bias.defined())
    made.value.copy_(at::where(made.dead, layer.bias.detach().to(at::kCPU, at::kDouble).reshape(made.dead.sizes()),
                               at::scalar_tensor(0.0, at::kDouble)));
  return made;
}

std::vector<std::vector<Label>> blocks_of(const std::vector<Label>& labels, std::int64_t count) {
  std::vector<std::vector<Label>> blocks(static_cast<std::size_t>(count));
  const std::size_t size = labels.size() / blocks.size();
  for (std::size_t i = 0; i < labels.size(); ++i) blocks[i / size].push_back(labels[i]);
  return blocks;
}

/// Binds both axes of the weight of a layer with groups, which must stay equal.
std::vector<Label> bind_groups(Tracer& tracer, const Call& call, const MixingLayer& layer,
                               const std::vector<Label>& read) {
  const bool transposed = layer.out_axis == 1;
  const auto rows_axis = *tracer.parameter_axis(layer.weight, 0);
  const auto rows = tracer.labels_of(rows_axis, layer.weight.size(0));
  auto& grouped = tracer.trace().grouped[rows_axis.path];
  if (grouped.rows.empty()) {
    const auto columns =
        transposed ? tracer.table().fresh(static_cast<std::size_t>(layer.weight.size(1) * layer.groups)) : read;
    grouped = {blocks_of(rows, layer.groups), blocks_of(columns, layer.groups)};
  }
  std::vector<Label> columns;
  for (const auto& block : grouped.columns) columns.insert(columns.end(), block.begin(), block.end());
  tracer.table().unite(transposed ? rows : columns, read);
  const auto made = transposed ? columns : rows;
  tracer.trace().balances.push_back(
      {tracer.describe(call), blocks_of(read, layer.groups), blocks_of(made, layer.groups)});
  tracer.count(call, "groups", std::nullopt, blocks_of(read, layer.groups));
  return made;
}

bool has_parameters(const Tracer& tracer, const MixingLayer& layer) {
  return tracer.parameter_axis(layer.weight, layer.out_axis) && tracer.parameter_axis(layer.weight, layer.in_axis);
}

}  // namespace

Channels input_channels(Tracer& tracer, const Call& call, const at::Tensor& input, std::int64_t axis) {
  const auto found = tracer.channels(input);
  if (found && channel_axis(*found) == axis) return *found;
  if (found) tracer.keep(call, input, kOtherAxis);
  return live_channels(input.dim(), axis, tracer.fixed(input.size(axis)));
}

void read_channels(Tracer& tracer, const Call& call, const Channels& channels, const MixingLayer& layer) {
  tracer.bind(*tracer.parameter_axis(layer.weight, layer.in_axis), labels_in(channels.labels));
  add_consumer(tracer, call, layer, channels);
}

void read_through(Tracer& tracer, const Call& call, const MixingLayer& layer) {
  read_channels(tracer, call, input_channels(tracer, call, layer.input, layer.axis), layer);
}

void mix(Tracer& tracer, const Call& call, const MixingLayer& layer) {
  if (!has_parameters(tracer, layer)) return tracer.keep(call, layer.input, kUnknownWeight);
  const auto out = *tracer.parameter_axis(layer.weight, layer.out_axis);
  std::vector<Label> made;
  if (layer.groups > 1) {
    const Channels read = input_channels(tracer, call, layer.input, layer.axis);
    made = bind_groups(tracer, call, layer, labels_in(read.labels));
    add_consumer(tracer, call, layer, read);
  } else {
    read_through(tracer, call, layer);
    made = tracer.labels_of(out, layer.weight.size(layer.out_axis));
    tracer.trace().made.push_back(out);
  }
  const std::string bias = tracer.path(layer.bias);
  if (!bias.empty()) {
    tracer.bind({bias, 0}, made);
    ++tracer.trace().uses[bias];
  } else if (layer.bias.defined()) {
    tracer.pin(made);
  }
  if (layer.groups > 1) {
    // The mask of a row is one filter's only where rows are filters.
    if (layer.out_axis == 0) tracer.trace().made.push_back(out);
    if (layer.out_axis == 1)
      return tracer.set(call.output(), live_channels(call.output().dim(), layer.axis, made), call);
  }
  tracer.set(call.output(), made_channels(tracer, layer, call.output().dim(), made), call);
}

}  // namespace lathe::compression

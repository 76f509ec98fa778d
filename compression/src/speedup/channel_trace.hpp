// Runs the masked model once and learns which channels depend on each other: which axes of which parameters carry which
// labels, who reads them, what shape they must keep, and which arguments of the program count them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/flat_graph.hpp>

#include "graph/channel_labels.hpp"
#include "graph/interpreter.hpp"

namespace lathe::compression {

/// One axis of a parameter or buffer, by the path of the attribute.
struct ParameterAxis {
  std::string path;
  std::int64_t axis = 0;
  auto operator<=>(const ParameterAxis&) const = default;
};

/// How a convolution or linear layer mixes channels, for folding what a removed channel added.
struct Mixing {
  ParameterAxis out;        ///< axis of the weight that counts filters
  ParameterAxis in;         ///< axis of the weight that counts the channels it reads, or those of one group
  std::int64_t groups = 1;  ///< more than 1 only where `out` is axis 0
  std::string bias;         ///< path to add constants to, or …
  std::string batch_mean;   ///< … running mean of the batch norm behind it to take them from; both empty: nowhere
};

/// A place that reads channels. A channel goes only if every place that reads it can do without.
struct Consumer {
  std::string place;  ///< for messages
  std::vector<Label> labels;
  std::vector<char> removable;   ///< 1: adds only a constant, or nothing; where there is a reason, merely constant
  std::vector<double> constant;  ///< that channel's value; 0 where there is nothing to fold
  std::vector<char> foldable;    ///< 0: the value varies with the place (say, at a padded border)
  std::optional<Mixing> mixing;  ///< only layers can fold
  std::string reason;            ///< why the place needs all its channels; empty: it does not, or it is an output
};

/// Part of an argument that says how many of these positions there are. A position counts while one of its labels
/// stays.
struct Count {
  std::size_t input = 0;               ///< which of the node's inputs
  std::optional<std::size_t> element;  ///< which element, when the input is a list
  std::vector<std::vector<Label>> positions;
};

/// A tensor that a call gave.
struct MadeTensor {
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> sizes;
  at::Tensor labels;  ///< as in Channels; undefined: its shape depends on no channels
};

/// What one output of a call was.
struct MadeOutput {
  std::vector<MadeTensor> tensors;  ///< one, but for a list
  bool is_first_input = false;      ///< written in place
  bool known = false;               ///< false: neither a tensor nor a list of tensors
};

/// One call of an operator that gives tensors, or one decision of prim::If and prim::Loop.
struct SizedCall {
  const torch::jit::Node* node = nullptr;  ///< in the flat graph
  Values arguments;                        ///< numbers and lists of numbers as they were; None in place of others
  std::vector<Count> counts;
  std::vector<MadeOutput> outputs;  ///< none of decisions
};

/// What is left must be a block: whole slices go, along any of the axes.
struct ProductRule {
  std::string place;
  std::vector<std::int64_t> sizes;
  std::vector<Label> labels;  ///< in row-major order
};

/// At every position one label must stay.
struct PresentRule {
  std::string place;
  std::vector<std::vector<Label>> positions;
};

/// All blocks must keep the same number of channels, on either side; a block may go when both its sides do.
struct BalanceRule {
  std::string place;
  std::vector<std::vector<Label>> in;
  std::vector<std::vector<Label>> out;  ///< empty: there is one side, and no block may go
  /// The operator that cuts a tensor into pieces of equal size, in the flat graph; nullptr: a layer with groups.
  const torch::jit::Node* pieces = nullptr;
};

/// A weight of which each group of rows has its own channels along axis 1.
struct GroupedWeight {
  std::vector<std::vector<Label>> rows;     ///< by group, of axis 0
  std::vector<std::vector<Label>> columns;  ///< by group, of axis 1
};

/// A layer that treats each channel on its own (batch norm, depthwise convolution) and what it was seen to read.
struct PassThrough {
  std::string weight;      ///< path, may be empty
  std::string bias;        ///< path, may be empty
  std::vector<char> dead;  ///< 1: the channel it reads is constant, one entry a channel of the layer
};

/// Masked channels that stay whatever the rest does.
struct Held {
  std::string place;
  std::int64_t channels = 0;
  std::string reason;
};

struct ChannelTrace {
  LabelTable labels;
  std::map<ParameterAxis, std::vector<Label>> parameters;
  std::map<std::string, GroupedWeight> grouped;  ///< by path; axis 1 of these is not in `parameters`
  std::vector<ParameterAxis> made;               ///< axes that count the filters of layers
  std::vector<Consumer> consumers;
  std::vector<Label> pinned;  ///< read where nothing can go: the model's input, its output, tensors of fixed size
  std::vector<ProductRule> products;
  std::vector<PresentRule> present;
  std::vector<BalanceRule> balances;
  std::vector<SizedCall> calls;  ///< in the order of execution
  std::vector<PassThrough> pass_through;
  std::vector<Held> held;
  std::map<std::string, int> uses;  ///< how many calls use a parameter as bias or running mean
  c10::IValue output;               ///< what the model gave
};

/// Masks by path of the parameter, e.g. `conv1.weight`.
using PathMasks = std::map<std::string, at::Tensor>;

/// `flat` is of a model in eval mode with the masks already multiplied in. Throws std::runtime_error with a sentence
/// for the user when the model cannot be traced, and what the operators throw.
[[nodiscard]] ChannelTrace trace_channels(const FlatGraph& flat, const PathMasks& masks, const at::Tensor& example);

}  // namespace lathe::compression

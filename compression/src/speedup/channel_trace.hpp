// Runs the masked model once and learns which channels depend on each other: which axes of which parameters carry which
// labels, who reads them, and which literal numbers in the program count them.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

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
  ParameterAxis out;       ///< axis of the weight that counts filters
  ParameterAxis in;        ///< axis of the weight that counts the channels it reads
  std::string bias;        ///< path to add constants to, or …
  std::string batch_mean;  ///< … running mean of the batch norm behind it to take them from; both empty: nowhere
};

/// A place that reads channels. A channel goes only if every place that reads it can do without.
struct Consumer {
  std::string place;  ///< for messages
  std::vector<Label> labels;
  std::vector<char> removable;   ///< 1: adds only a constant, or nothing
  std::vector<double> constant;  ///< that channel's value; 0 where there is nothing to fold
  std::vector<char> foldable;    ///< 0: the value varies with the place (say, at a padded border)
  std::optional<Mixing> mixing;  ///< only layers can fold
  bool understood = true;        ///< false: taking a channel away here is an error
};

/// A literal in the program that equals a number of channels.
struct CountLiteral {
  const torch::jit::Node* node = nullptr;  ///< in the flat graph
  std::size_t input = 0;                   ///< which of the node's inputs
  std::optional<std::size_t> element;      ///< which element, when the input is a list
  std::vector<Label> labels;               ///< the channels it counts
};

/// A layer that treats each channel on its own (batch norm, depthwise convolution) and what it was seen to read.
struct PassThrough {
  std::string weight;      ///< path, may be empty
  std::string bias;        ///< path, may be empty
  std::vector<char> dead;  ///< 1: the channel it reads is constant, one entry a channel of the layer
};

struct ChannelTrace {
  LabelTable labels;
  std::map<ParameterAxis, std::vector<Label>> parameters;
  std::vector<Consumer> consumers;
  std::vector<CountLiteral> literals;
  std::vector<PassThrough> pass_through;
  std::map<std::string, int> uses;  ///< how many calls use a parameter as bias or running mean
};

/// Masks by path of the parameter, e.g. `conv1.weight`.
using PathMasks = std::map<std::string, at::Tensor>;

/// `flat` is of a model in eval mode with the masks already multiplied in. Throws std::runtime_error with a sentence
/// for the user when the model cannot be traced, and what the operators throw.
[[nodiscard]] ChannelTrace trace_channels(const FlatGraph& flat, const PathMasks& masks, const at::Tensor& example);

}  // namespace lathe::compression

// The network as people draw it: layers, the places where branches meet, and what flows from one to the next; and how
// long each layer takes.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// One call of a layer, or one operator that joins branches.
struct LayerNode {
  std::string layer;  ///< path of the module that owns the weight; `` for an operator, the input and the output
  std::string type;   ///< class name of that module; of an operator its name, e.g. `add`, `cat`; `input`, `output`
  Shape output;       ///< of what it returns, with the batch axis; empty where that is no single tensor
};

/// Nodes in the order of their run, the input first and the output last. Activations, normalisations, pools and other
/// operators of one input are no nodes of their own: an edge passes through them.
struct LayerGraph {
  std::vector<LayerNode> nodes;
  std::vector<std::pair<std::size_t, std::size_t>> edges;  ///< from, to: indices of nodes, each pair once, sorted
};

/// From one run of `example`, a batch. A layer is an operator that reads a parameter of two or more axes; a layer that
/// is called twice is two nodes. Errors: an example that the model does not run on.
[[nodiscard]] Result<LayerGraph> layer_graph(const torch::jit::Module& model, const at::Tensor& example);

/// Milliseconds that each module's own operators take in one forward pass of the batch `example`, by the module's path
/// (`` for what the root does itself): the median of `runs` passes after one that does not count, in eval mode,
/// operator by operator. TorchScript may fuse some of these, so their sum is not the latency of the model: use the
/// shares. Errors: an example that the model does not run on.
[[nodiscard]] Result<std::map<std::string, double>> module_times(const torch::jit::Module& model,
                                                                 const at::Tensor& example, int runs = 5);

}  // namespace lathe::compression

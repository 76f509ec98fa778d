#include "int8/cost.hpp"

#include <algorithm>

#include <ATen/core/Tensor.h>

#include "graph/schema.hpp"
#include "int8/layer_arguments.hpp"
#include "int8/patterns.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;

/// 64 KiB in float.
constexpr std::int64_t kMostWeights = 16'384;
constexpr std::int64_t kMostProducts = 250'000;

/// Rows of the layer's output for one batch: more than its records where a layer sees sequences.
std::int64_t rows_of(const std::vector<std::int64_t>& sizes, std::int64_t example_records, std::int64_t batch) {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) rows *= sizes[i];
  return std::max<std::int64_t>(1, rows / example_records) * batch;
}

bool is_small(const FrozenGraph& graph, const Sizes& sizes, const Node* node, std::int64_t example_records,
              std::int64_t batch) {
  if (!layer_kind(node)->is_linear()) return false;
  const std::int64_t weights = graph.weight(argument(node, "weight"))->values.numel();
  const auto found = sizes.find(node->output());
  if (found == sizes.end() || weights > kMostWeights) return false;
  return weights * rows_of(found->second, example_records, batch) <= kMostProducts;
}

}  // namespace

std::set<const Node*> faster_in_float(const FrozenGraph& graph, const Sizes& sizes, std::int64_t example_records,
                                      std::int64_t batch) {
  std::set<const Node*> small;
  bool any_other = false;
  for (const Node* node : graph.graph()->nodes()) {
    if (!is_layer(graph, node) || obstacle(graph, node)) continue;
    if (is_small(graph, sizes, node, example_records, batch)) {
      small.insert(node);
    } else {
      any_other = true;
    }
  }
  return any_other ? small : std::set<const Node*>{};
}

}  // namespace lathe::compression

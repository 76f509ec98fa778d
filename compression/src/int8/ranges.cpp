#include "int8/ranges.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "graph/schema.hpp"
#include "int8/patterns.hpp"
#include "quantization/histogram.hpp"

namespace lathe::compression {

using torch::jit::Node;
using torch::jit::Value;

namespace {

/// All the values of a run are there at once, so runs are small.
constexpr std::int64_t kMostRecords = 16;

}  // namespace

std::vector<Value*> values_without_grid(const FrozenGraph& graph) {
  std::vector<Value*> values;
  const auto add = [&](Value* value) {
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  };
  for (Node* node : graph.graph()->nodes()) {
    const bool layer = is_layer(graph, node);
    if (layer && graph.grid(node->input(0)->node()) == nullptr) add(node->input(0));
    if (!layer && !is_addition(node)) continue;
    const Fusion fusion = fuse(graph, node);
    if (fusion.inner_grid == nullptr && grid_after(graph, fusion.result) == nullptr) add(fusion.result);
  }
  return values;
}

Result<Ranges> observe(const FrozenGraph& graph, const std::vector<Value*>& values, const Dataset& data,
                       const Int8Options& options) {
  std::unordered_map<const Value*, Histogram> histograms;
  if (values.empty()) return Ranges{};
  const std::int64_t records = std::min(options.batches * options.batch_size, data.size());
  for (std::int64_t begin = 0; begin < records; begin += kMostRecords) {
    const std::int64_t end = std::min(begin + kMostRecords, records);
    const auto found = graph.run(data.slice(begin, end).inputs, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!found[i].isTensor() || found[i].toTensor().scalar_type() != at::kFloat) continue;
      const at::Tensor tensor = found[i].toTensor().contiguous();
      const ValueRange range = value_ranges(tensor).front();
      if (!std::isfinite(range.min)) {
        return fail(fmt::format("{} gives values that are not finite", graph.describe(values[i]->node())));
      }
      if (tensor.numel() > 0) histograms[values[i]].add(tensor, range);
    }
  }
  Ranges ranges;
  for (const auto& [value, histogram] : histograms) ranges[value] = histogram.best_range();
  return ranges;
}

}  // namespace lathe::compression

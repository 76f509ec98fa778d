// report.json: everything that is known about a compressed model, layer by layer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/layer_graph.hpp>
#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>

#include "result.hpp"

namespace lathe::trial {

struct LayerReport {
  std::string name;
  std::string type;
  compression::Shape shape_before;  ///< of the weight
  compression::Shape shape_after;
  double sparsity = 0;  ///< 1 - nonzero weights now / weights before
  std::int64_t macs_before = 0;
  std::int64_t macs_after = 0;
  double milliseconds_before = 0;  ///< of its own operators in one pass; see compression::module_times
  double milliseconds_after = 0;
  std::optional<int> bits;  ///< of its weight, where that is quantized
};

/// What is known of one of the two models.
struct LayerCosts {
  std::vector<compression::LayerMacs> macs;
  std::map<std::string, double> milliseconds;
  compression::LayerGraph graph;
};

/// Of the batch `example`. Errors: those of layer_graph and module_times.
[[nodiscard]] Result<LayerCosts> layer_costs(const torch::jit::Module& model, std::vector<compression::LayerMacs> macs,
                                             const at::Tensor& example);

/// Every layer of the original that has a weight, in definition order.
[[nodiscard]] std::vector<LayerReport> compare_layers(const torch::jit::Module& original, const LayerCosts& before,
                                                      const torch::jit::Module& compressed, const LayerCosts& after,
                                                      const std::map<std::string, int>& bits);

/// The original's graph with what became of each node: {nodes: [{layer, type, shape_before, shape_after}], edges:
/// [[from, to]]}; `shape_after` is left out of a node that is gone.
[[nodiscard]] nlohmann::ordered_json graph_json(const compression::LayerGraph& before,
                                                const compression::LayerGraph& after);

[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<LayerReport>& layers);

/// The same as aligned text, for the trial's log.
[[nodiscard]] std::string to_text(const std::vector<LayerReport>& layers);

/// `10x1x5x5`
[[nodiscard]] std::string to_text(const compression::Shape& shape);

}  // namespace lathe::trial

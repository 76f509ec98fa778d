// report.json: everything that is known about a compressed model, layer by layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/model.hpp>

namespace lathe::trial {

struct LayerReport {
  std::string name;
  std::string type;
  compression::Shape shape_before;  ///< of the weight
  compression::Shape shape_after;
  double sparsity = 0;  ///< 1 - nonzero weights now / weights before
  std::int64_t macs_before = 0;
  std::int64_t macs_after = 0;
};

/// Every layer of the original that has a weight, in definition order.
[[nodiscard]] std::vector<LayerReport> compare_layers(const torch::jit::Module& original,
                                                      const std::vector<compression::LayerMacs>& macs_before,
                                                      const torch::jit::Module& compressed,
                                                      const std::vector<compression::LayerMacs>& macs_after);

[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<LayerReport>& layers);

/// The same as aligned text, for the trial's log.
[[nodiscard]] std::string to_text(const std::vector<LayerReport>& layers);

/// `10x1x5x5`
[[nodiscard]] std::string to_text(const compression::Shape& shape);

}  // namespace lathe::trial

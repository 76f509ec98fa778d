// Which settings a quantizer can work with.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <lathe/compression/quantization.hpp>

namespace lathe::compression {

/// The places that a model's graph lets be tapped.
using TapSites = std::set<std::pair<std::string, TapPlace>>;
[[nodiscard]] TapSites tap_sites_of(const FlatGraph& graph);

/// Errors: those of Quantization::create.
[[nodiscard]] Result<void> check_settings(QuantizerKind kind, const std::vector<QuantizedLayer>& layers,
                                          const TapSites& sites);

}  // namespace lathe::compression

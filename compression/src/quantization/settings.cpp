#include "quantization/settings.hpp"

#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <lathe/compression/quant_grid.hpp>

namespace lathe::compression {
namespace {

constexpr int kMostBits = 31;

/// What a quantizer can do.
struct Abilities {
  std::string_view name;
  bool input;
  bool output;
  int least_bits;
  int most_bits;
  bool per_channel;
  bool start_step;
};

Abilities abilities_of(QuantizerKind kind) {
  switch (kind) {
    case QuantizerKind::Naive:
      return {"naive", false, false, 8, 8, false, false};
    case QuantizerKind::Qat:
      return {"qat", true, true, 1, kMostBits, true, true};
    case QuantizerKind::DoReFa:
      return {"dorefa", false, false, 1, kMostBits, false, false};
    case QuantizerKind::Bnn:
      return {"bnn", false, true, 1, 1, false, false};
    case QuantizerKind::Lsq:
      return {"lsq", true, true, 2, kMostBits, false, false};
    case QuantizerKind::Observer:
      break;
  }
  return {"observer", true, true, 8, 8, false, false};
}

/// One tensor of a layer.
struct Wanted {
  const QuantizedLayer& layer;
  TapPlace place;
  std::string_view tensor;
  const std::optional<QuantSpec>& spec;
};

Result<void> check_bits(const Abilities& can, const Wanted& wanted) {
  const QuantSpec& spec = *wanted.spec;
  if (spec.bits < can.least_bits || spec.bits > can.most_bits) {
    const std::string range = can.least_bits == can.most_bits ? fmt::format("{}", can.least_bits)
                                                              : fmt::format("{} to {}", can.least_bits, can.most_bits);
    return fail(fmt::format("quant_bits of the {} of layer `{}` is {}; the {} quantizer works with {}", wanted.tensor,
                            wanted.layer.layer.name, spec.bits, can.name, range));
  }
  if (can.per_channel && spec.dtype == QuantDtype::Int && spec.bits < 2) {
    return fail(fmt::format("quant_bits of the {} of layer `{}` is {}; quant_dtype int has no two levels below 2 bits",
                            wanted.tensor, wanted.layer.layer.name, spec.bits));
  }
  if (per_channel(spec.scheme) && !can.per_channel) {
    return fail(fmt::format("quant_scheme of the {} of layer `{}` is per channel; the {} quantizer has no such scheme",
                            wanted.tensor, wanted.layer.layer.name, can.name));
  }
  return {};
}

Result<void> check_tensor(const Abilities& can, const Wanted& wanted, const TapSites& sites) {
  if (!wanted.spec) return {};
  const std::string& name = wanted.layer.layer.name;
  if ((wanted.place == TapPlace::Input && !can.input) || (wanted.place == TapPlace::Output && !can.output)) {
    return fail(fmt::format("quant_types of layer `{}` has {}; the {} quantizer takes {}", name, wanted.tensor,
                            can.name, can.output ? "weight and output" : "weight only"));
  }
  if (!sites.contains({name, wanted.place})) {
    return fail(fmt::format("the {} of layer `{}` is to be quantized, but the model never calls the layer with one",
                            wanted.tensor, name));
  }
  return check_bits(can, wanted);
}

Result<void> check_weight(const Layer& layer) {
  if (!layer.weight.defined()) {
    return fail(fmt::format("quant_types of layer `{}` has weight, but a {} has none", layer.name, layer.type));
  }
  if (layer.weight.scalar_type() != at::kFloat || !layer.weight.device().is_cpu() || layer.weight.numel() == 0) {
    return fail(fmt::format("the weight of layer `{}` is {} with {} elements; expected float32 numbers on the CPU",
                            layer.name, layer.weight.toString(), layer.weight.numel()));
  }
  if (std::isnan(value_ranges(layer.weight.detach()).front().min)) {
    return fail(fmt::format("the weight of layer `{}` has NaN or infinite values", layer.name));
  }
  return {};
}

Result<void> check_layer(const Abilities& can, const QuantizedLayer& layer, const TapSites& sites) {
  const QuantTarget& target = layer.target;
  if (!target.weight && !target.input && !target.output) {
    return fail(fmt::format("nothing of layer `{}` is to be quantized; quant_types is empty", layer.layer.name));
  }
  if (target.start_step < 0 || (target.start_step > 0 && !can.start_step)) {
    return fail(
        fmt::format("quant_start_step of layer `{}` is {}; expected {}", layer.layer.name, target.start_step,
                    can.start_step ? "0 or more" : fmt::format("none, the {} quantizer has no delay", can.name)));
  }
  if (target.weight) {
    if (auto checked = check_weight(layer.layer); !checked) return checked;
  }
  for (const Wanted& wanted :
       {Wanted{layer, TapPlace::Weight, "weight", target.weight}, Wanted{layer, TapPlace::Input, "input", target.input},
        Wanted{layer, TapPlace::Output, "output", target.output}}) {
    if (auto checked = check_tensor(can, wanted, sites); !checked) return checked;
  }
  return {};
}

void collect(const FlatGraph& graph, const torch::jit::Block* block, TapSites& sites) {
  for (const torch::jit::Node* node : block->nodes()) {
    if (const TapSite* site = graph.tap_site(node)) sites.emplace(site->layer, site->place);
    for (const torch::jit::Block* inner : node->blocks()) collect(graph, inner, sites);
  }
}

}  // namespace

TapSites tap_sites_of(const FlatGraph& graph) {
  TapSites sites;
  collect(graph, graph.graph()->block(), sites);
  return sites;
}

Result<void> check_settings(QuantizerKind kind, const std::vector<QuantizedLayer>& layers, const TapSites& sites) {
  if (layers.empty()) return fail("no layer is to be quantized");
  const Abilities can = abilities_of(kind);
  std::set<std::string> names;
  for (const QuantizedLayer& layer : layers) {
    if (!names.insert(layer.layer.name).second) {
      return fail(fmt::format("layer `{}` is to be quantized twice", layer.layer.name));
    }
    if (auto checked = check_layer(can, layer, sites); !checked) return checked;
  }
  return {};
}

}  // namespace lathe::compression

#include "onnx/quantized_taps.hpp"

#include <algorithm>
#include <set>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <lathe/compression/quant_grid.hpp>

namespace lathe::compression::onnx_out {
namespace {

/// The 8-bit type that holds all levels; nothing when there is none.
std::optional<at::ScalarType> integer_type(const QuantLevels& levels) {
  if (levels.min >= 0 && levels.max <= 255) return at::kByte;
  if (levels.min >= -128 && levels.max <= 127) return at::kChar;
  return std::nullopt;
}

/// Whether saturation to the type clamps to the levels by itself.
bool fills_type(const QuantLevels& levels) {
  return levels == QuantLevels{0, 255} || levels == QuantLevels{-128, 127};
}

/// One number, or one a channel.
at::Tensor scale_tensor(const QuantGrid& grid) {
  const at::Tensor scale = at::tensor(grid.scale, at::kFloat);
  return grid.scale.size() == 1 ? scale.squeeze(0) : scale;
}

at::Tensor zero_point_tensor(const QuantGrid& grid, at::ScalarType type) {
  const at::Tensor zero_point = at::tensor(grid.zero_point, at::kLong).to(type);
  return grid.zero_point.size() == 1 ? zero_point.squeeze(0) : zero_point;
}

/// `per_channel` values in the shape that goes over the channels of a tensor of this rank.
at::Tensor over_channels(const at::Tensor& values, std::int64_t rank, std::int64_t axis) {
  if (values.dim() == 0) return values;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape.at(static_cast<std::size_t>(axis)) = values.numel();
  return values.reshape(shape);
}

/// The levels nearest to the values of a weight.
at::Tensor levels_of(const at::Tensor& weight, const QuantGrid& grid, at::ScalarType type) {
  const at::Tensor scale = over_channels(scale_tensor(grid), weight.dim(), grid.axis);
  const at::Tensor zero = over_channels(zero_point_tensor(grid, at::kFloat), weight.dim(), grid.axis);
  const at::Tensor level = at::round(weight / scale + zero);
  return level.clamp(static_cast<double>(grid.levels.min), static_cast<double>(grid.levels.max)).to(type);
}

Attributes axis_of(const QuantGrid& grid) {
  return grid.scale.size() == 1 ? Attributes{} : Attributes{{"axis", grid.axis}};
}

/// Values of the lowest and highest level.
std::string clipped(OpCall& call, const std::string& x, const QuantGrid& grid, std::int64_t rank) {
  const at::Tensor scale = scale_tensor(grid);
  const at::Tensor zero = zero_point_tensor(grid, at::kFloat);
  const at::Tensor low = (static_cast<double>(grid.levels.min) - zero) * scale;
  const at::Tensor high = (static_cast<double>(grid.levels.max) - zero) * scale;
  if (scale.dim() == 0) return call.add("Clip", {x, call.constant(low), call.constant(high)});
  const std::string above = call.add("Max", {x, call.constant(over_channels(low, rank, grid.axis))});
  return call.add("Min", {above, call.constant(over_channels(high, rank, grid.axis))});
}

/// Grids that no 8-bit type holds: the rounding itself, in floats.
std::string rounded(OpCall& call, const std::string& x, const QuantGrid& grid, std::int64_t rank) {
  const std::string scale = call.constant(over_channels(scale_tensor(grid), rank, grid.axis));
  const std::string zero = call.constant(over_channels(zero_point_tensor(grid, at::kFloat), rank, grid.axis));
  std::string level = call.add("Round", {call.add("Add", {call.add("Div", {x, scale}), zero})});
  level = call.add("Clip", {level, call.scalar(static_cast<double>(grid.levels.min), at::kFloat),
                            call.scalar(static_cast<double>(grid.levels.max), at::kFloat)});
  return call.add("Mul", {call.add("Sub", {level, zero}), scale});
}

std::string activation(OpCall& call, const QuantizedTensor& quantized, const std::string& x, std::int64_t rank) {
  if (quantized.binary) {
    const std::string positive = call.add("GreaterOrEqual", {x, call.scalar(0, at::kFloat)});
    return call.add("Where", {positive, call.scalar(1, at::kFloat), call.scalar(-1, at::kFloat)});
  }
  const QuantGrid& grid = quantized.grid;
  const auto type = integer_type(grid.levels);
  if (!type) return rounded(call, x, grid, rank);
  const std::string input = fills_type(grid.levels) ? x : clipped(call, x, grid, rank);
  const std::string prefix =
      fmt::format("{}.{}", quantized.layer, quantized.place == TapPlace::Input ? "input" : "output");
  const std::string scale = call.graph().constant(scale_tensor(grid), prefix + "_scale");
  const std::string zero = call.graph().constant(zero_point_tensor(grid, *type), prefix + "_zero_point");
  const std::string integers = call.add("QuantizeLinear", {input, scale, zero}, axis_of(grid));
  return call.add("DequantizeLinear", {integers, scale, zero}, axis_of(grid));
}

at::Tensor bias_of(const torch::jit::Module& model, const std::string& layer) {
  for (const Layer& candidate : layers_of(model))
    if (candidate.name == layer) return candidate.bias;
  return {};
}

}  // namespace

Result<QuantizedTaps> QuantizedTaps::create(const torch::jit::Module& model, const FlatGraph& tapped,
                                            const Program& program, const OnnxQuantization& quantization) {
  QuantizedTaps taps;
  if (auto folded = taps.find_folds(model, quantization); !folded) return tl::unexpected(folded.error());
  std::map<Site, const QuantizedTensor*> wanted;
  for (const QuantizedTensor& tensor : quantization.tensors) wanted[{tensor.layer, tensor.place}] = &tensor;
  std::set<Site> found;
  taps.plan_.taps.resize(program.tap_sites().size());
  for (std::size_t i = 0; i < program.tap_sites().size(); ++i) {
    const Site site{program.tap_sites()[i].layer, program.tap_sites()[i].place};
    if (!wanted.contains(site)) continue;
    // A tensor of its own, so that who reads the other side of the tap reads what is not quantized.
    taps.plan_.taps[i].push_back([](const at::Tensor& tensor) { return tensor.detach().clone(); });
    found.insert(site);
  }
  for (const auto& [site, tensor] : wanted) {
    if (found.contains(site)) continue;
    return fail(fmt::format("the model never calls layer `{}` with what is quantized of it", site.first));
  }
  taps.find_nodes(tapped, tapped.graph()->block(), wanted);
  return taps;
}

Result<void> QuantizedTaps::find_folds(const torch::jit::Module& model, const OnnxQuantization& quantization) {
  auto tapped = TappedModel::create(model);
  if (!tapped) return tl::unexpected(tapped.error());
  const auto pairs = foldable_pairs(**tapped);
  for (const FoldedLayers& folded : quantization.folded) {
    const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](const FoldablePair& one) {
      return one.convolution == folded.convolution && one.batch_norm == folded.batch_norm;
    });
    if (pair == pairs.end()) {
      return fail(fmt::format("batch normalisation `{}` cannot be folded into convolution `{}`", folded.batch_norm,
                              folded.convolution));
    }
    by_convolution_.insert({pair->convolution, *pair});
    by_batch_norm_.insert({pair->batch_norm, *pair});
    biases_[pair->convolution] = bias_of(model, pair->convolution);
  }
  return {};
}

void QuantizedTaps::find_nodes(const FlatGraph& tapped, const torch::jit::Block* block,
                               const std::map<Site, const QuantizedTensor*>& wanted) {
  for (const torch::jit::Node* node : block->nodes()) {
    for (const torch::jit::Block* inner : node->blocks()) find_nodes(tapped, inner, wanted);
    const TapSite* site = tapped.tap_site(node);
    const auto found = site == nullptr ? wanted.end() : wanted.find({site->layer, site->place});
    if (found == wanted.end()) continue;
    plan_.quantized.insert(node);
    at_.insert({node, *found->second});
  }
}

const QuantizedTensor* QuantizedTaps::at(const torch::jit::Node* node) const {
  const auto found = at_.find(node);
  return found == at_.end() ? nullptr : &found->second;
}

const FoldablePair* QuantizedTaps::folded_batch_norm(const std::string& module) const {
  const auto found = by_batch_norm_.find(module);
  return found == by_batch_norm_.end() ? nullptr : &found->second;
}

at::Tensor QuantizedTaps::folded_bias(const FoldablePair& pair) const {
  return fold_batch_norm(at::zeros({pair.statistics.mean.size(0), 1}), biases_.at(pair.convolution), pair.statistics)
      .bias;
}

std::string QuantizedTaps::weight(OpCall& call, const QuantizedTensor& quantized, const at::Tensor& input) {
  std::string& written = weights_[quantized.layer];
  if (!written.empty()) return written;
  at::Tensor weight = input.detach().cpu();
  const auto fold = by_convolution_.find(quantized.layer);
  if (fold != by_convolution_.end()) weight = fold_batch_norm(weight, {}, fold->second.statistics).weight;
  const QuantGrid& grid = quantized.grid;
  const auto type = integer_type(grid.levels);
  if (!type) return written = call.constant(fake_quantize(weight.contiguous(), grid));
  const std::string prefix = quantized.layer + ".weight";
  const std::string integers = call.graph().constant(levels_of(weight, grid, *type), prefix + "_quantized");
  const std::string scale = call.graph().constant(scale_tensor(grid), prefix + "_scale");
  const std::string zero = call.graph().constant(zero_point_tensor(grid, *type), prefix + "_zero_point");
  return written = call.add("DequantizeLinear", {integers, scale, zero}, axis_of(grid));
}

void QuantizedTaps::write(OpCall& call, const QuantizedTensor& quantized, const at::Tensor& input,
                          const at::Tensor& output) {
  if (quantized.place == TapPlace::Weight) return call.out(output, weight(call, quantized, input));
  call.out(output, activation(call, quantized, call.name(input), input.dim()));
}

}  // namespace lathe::compression::onnx_out

#include "inspect.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <lathe/compression/measure.hpp>

#include "report.hpp"

namespace lathe::trial {
namespace {

using MacsByLayer = std::map<std::string, std::int64_t>;

Result<MacsByLayer> macs_by_layer(const torch::jit::Module& model, const compression::Shape& input_shape) {
  const auto macs = compression::count_macs(model, at::zeros(input_shape));
  if (!macs) return tl::unexpected(macs.error());
  MacsByLayer sums;
  for (const auto& [layer, count] : *macs) sums[layer] += count;
  return sums;
}

std::int64_t parameters_of(const compression::Layer& layer) {
  return (layer.weight.defined() ? layer.weight.numel() : 0) + (layer.bias.defined() ? layer.bias.numel() : 0);
}

std::string row(std::size_t width, const std::string& name, const std::string& type, const std::string& shape,
                const std::string& parameters, const std::string& macs) {
  return fmt::format("{:<{}}  {:<16}  {:>18}  {:>12}  {:>14}\n", name, width, type, shape, parameters, macs);
}

}  // namespace

Result<compression::Shape> parse_shape(const std::string& text) {
  compression::Shape shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    std::int64_t size = 0;
    const auto [next, status] = std::from_chars(at, end, size);
    const bool separated = next == end || *next == ',';
    if (status != std::errc() || size <= 0 || size > 1'000'000 || !separated) {
      return fail(
          fmt::format("input shape {}: expected sizes from 1 to 1000000 separated by commas, like 1,1,28,28", text));
    }
    shape.push_back(size);
    if (next == end) return shape;
    at = next + 1;
  }
}

Result<std::string> inspect(const std::filesystem::path& file, const std::optional<compression::Shape>& input_shape) {
  const auto model = compression::load_model(file);
  if (!model) return tl::unexpected(model.error());
  Result<MacsByLayer> macs;
  if (input_shape) macs = macs_by_layer(*model, *input_shape);
  if (!macs) return tl::unexpected(macs.error());
  const auto layers = compression::layers_of(*model);
  std::size_t width = 5;
  for (const auto& layer : layers) width = std::max(width, layer.name.size());
  std::string table = row(width, "layer", "type", "weight", "parameters", input_shape ? "MACs" : "");
  std::int64_t total = 0;
  for (const auto& layer : layers) {
    const auto count = macs->find(layer.name);
    table += row(width, layer.name, layer.type, layer.weight.defined() ? to_text(layer.weight.sizes().vec()) : "",
                 std::to_string(parameters_of(layer)), count == macs->end() ? "" : std::to_string(count->second));
    if (count != macs->end()) total += count->second;
  }
  table += row(width, "total", "", "", std::to_string(compression::count_parameters(*model)),
               input_shape ? std::to_string(total) : "");
  return table;
}

}  // namespace lathe::trial

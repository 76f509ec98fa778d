#include "inspect.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <lathe/compression/measure.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::trial {
namespace {

using compression::Shape;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Of the first call of each layer.
Result<std::map<std::string, Shape>> output_shapes(const torch::jit::Module& model, const at::Tensor& input) {
  const c10::NoGradGuard no_grad;
  torch::jit::Module copy = compression::copy_model(model);
  copy.eval();
  auto tapped = compression::TappedModel::create(copy);
  if (!tapped) return tl::unexpected(tapped.error());
  std::map<std::string, Shape> shapes;
  for (const auto& layer : compression::layers_of(copy)) {
    (*tapped)->add_tap(layer.name, compression::TapPlace::Output, [&shapes, name = layer.name](const at::Tensor& out) {
      shapes.try_emplace(name, out.sizes().vec());
      return out;
    });
  }
  try {
    (void)(*tapped)->forward(input);
  } catch (const std::exception& error) {
    return fail(fmt::format("the model does not run on this input: {}", first_line(error.what())));
  }
  return shapes;
}

std::vector<LayerFacts> layers_of(const torch::jit::Module& model) {
  std::vector<LayerFacts> layers;
  for (const auto& layer : compression::layers_of(model)) {
    LayerFacts facts{layer.name, layer.type, {}, {}, 0, {}};
    if (layer.weight.defined()) facts.weight = layer.weight.sizes().vec();
    for (const at::Tensor& tensor : {layer.weight, layer.bias})
      if (tensor.defined()) facts.parameters += tensor.numel();
    layers.push_back(std::move(facts));
  }
  return layers;
}

/// What a run of the model tells.
Result<void> add_run(Inspection& found, const torch::jit::Module& model, const at::Tensor& input) {
  const auto shapes = output_shapes(model, input);
  if (!shapes) return tl::unexpected(shapes.error());
  const auto macs = compression::count_macs(model, input);
  if (!macs) return tl::unexpected(macs.error());
  const auto operations = compression::count_macs(model, input, compression::CountMode::Full);
  if (!operations) return tl::unexpected(operations.error());
  const auto memory = compression::peak_activation_bytes(model, input);
  if (!memory) return tl::unexpected(memory.error());
  auto groups = compression::dependency_groups(model, input);
  if (!groups) return tl::unexpected(groups.error());
  std::map<std::string, std::int64_t> counted;
  for (const auto& [layer, count] : *macs) counted.emplace(layer, count);
  for (auto& layer : found.layers) {
    if (const auto shape = shapes->find(layer.name); shape != shapes->end()) layer.output = shape->second;
    if (const auto count = counted.find(layer.name); count != counted.end()) layer.macs = count->second;
  }
  found.input = input.sizes().vec();
  found.macs = compression::total_macs(*macs);
  found.operations = compression::total_macs(*operations);
  found.activation_bytes = *memory;
  found.groups = std::move(*groups);
  return {};
}

}  // namespace

Result<Shape> parse_shape(const std::string& text) {
  Shape shape;
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

Result<at::Tensor> read_input(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(fmt::format("{}: cannot be read", file.string()));
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  try {
    const auto value = torch::jit::pickle_load(bytes);
    if (value.isTensor() && value.toTensor().dim() > 0) return value.toTensor();
  } catch (const std::exception&) {
    // Said below.
  }
  return fail(fmt::format("{}: expected one input batch, a tensor that torch.save(tensor, file) wrote", file.string()));
}

Result<Inspection> inspect(const std::filesystem::path& file, const std::optional<at::Tensor>& input) {
  const auto model = compression::load_model(file);
  if (!model) return tl::unexpected(model.error());
  Inspection found;
  found.model = file;
  found.layers = layers_of(*model);
  found.parameters = compression::count_parameters(*model);
  if (!input) return found;
  if (auto run = add_run(found, *model, *input); !run)
    return fail(fmt::format("{}: {}", file.string(), run.error().message));
  return found;
}

}  // namespace lathe::trial

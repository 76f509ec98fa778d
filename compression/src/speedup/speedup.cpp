#include <lathe/compression/speedup.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <lathe/compression/flat_graph.hpp>

#include "speedup/channel_trace.hpp"
#include "speedup/masked_model.hpp"
#include "speedup/patch.hpp"
#include "speedup/plan.hpp"
#include "speedup/slice.hpp"
#include "speedup/tracer.hpp"
#include "speedup/unshare.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Module;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Turns what LibTorch or a rule throws into an error.
template <class Callable>
auto guarded(const char* doing, const Callable& callable) -> decltype(callable()) {
  try {
    return callable();
  } catch (const std::exception& error) {
    return fail(fmt::format("{}: {}", doing, first_line(error.what())));
  }
}

/// Every module is in the mode that its namesake in `model` is in.
void restore_modes(Module& copy, const Module& model) {
  std::map<std::string, bool> modes;
  for (const auto& [name, module] : model.named_modules()) modes[name] = module.is_training();
  for (auto [name, module] : copy.named_modules())
    if (module.type()->hasAttribute("training")) module.setattr("training", modes.at(name));
}

std::vector<at::Tensor> run(Module model, const at::Tensor& input) {
  std::vector<at::Tensor> outputs;
  for (const auto& tensor : tensors_in(model.forward({input})))
    if (tensor.numel() > 0) outputs.push_back(tensor.to(at::kDouble));
  return outputs;
}

/// The largest absolute element of all; infinite when one is not finite.
double largest_of(const std::vector<at::Tensor>& tensors) {
  double largest = 0;
  for (const auto& tensor : tensors) {
    const double value = tensor.abs().max().item().toDouble();
    largest = std::isfinite(value) ? std::max(largest, value) : std::numeric_limits<double>::infinity();
  }
  return largest;
}

/// Largest difference between what the masked model gave and what the sped-up one gives on the same input.
Result<double> compare(const std::vector<at::Tensor>& expected, const Module& result, const at::Tensor& input,
                       double tolerance) {
  const auto found = run(result, input);
  if (expected.size() != found.size()) return fail("speed-up: the number of outputs has changed");
  std::vector<at::Tensor> differences;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].sizes() != found[i].sizes()) return fail("speed-up: the shape of an output has changed");
    differences.push_back(expected[i].sub(found[i]));
  }
  const double difference = largest_of(differences);
  const double allowed = tolerance * std::max(1.0, largest_of(expected));
  if (difference <= allowed) return difference;
  return fail(
      fmt::format("speed-up: the result differs from the masked model by {:.3g}, more than {:.3g}; it is not used",
                  difference, allowed));
}

/// What the masked model gives on noise, which shows what an example of, say, zeros would hide. Empty when the model
/// cannot take noise (numbers that stand for words, a logarithm of its input).
std::vector<at::Tensor> run_on_noise(const Module& masked, const at::Tensor& noise) {
  try {
    auto outputs = run(masked, noise);
    return std::isfinite(largest_of(outputs)) ? outputs : std::vector<at::Tensor>{};
  } catch (const std::exception&) {
    return {};
  }
}

/// Compares the two models, both in eval mode, on the example and on noise.
Result<double> verify(const Module& masked, const Module& result, const at::Tensor& example, double tolerance) {
  const auto expected = run(masked, example);
  if (!std::isfinite(largest_of(expected)))
    return fail("speed-up: the masked model's output on the example is not finite");
  auto difference = compare(expected, result, example, tolerance);
  if (!difference || !example.is_floating_point()) return difference;
  auto generator = at::detail::createCPUGenerator(/*seed=*/1);
  const at::Tensor noise = at::randn(example.sizes(), generator).to(example.options());
  const auto on_noise = run_on_noise(masked, noise);
  if (on_noise.empty()) return difference;
  const auto second = compare(on_noise, result, noise, tolerance);
  return second ? std::max(*difference, *second) : second;
}

std::vector<LayerChange> changes(const Module& before, const Module& after) {
  std::map<std::string, Shape> shapes;
  for (const auto& layer : layers_of(after))
    if (layer.weight.defined()) shapes[layer.name] = layer.weight.sizes().vec();
  std::vector<LayerChange> list;
  for (const auto& layer : layers_of(before))
    if (layer.weight.defined())
      list.push_back({layer.name, layer.type, layer.weight.sizes().vec(), shapes.at(layer.name)});
  return list;
}

Result<SpeedupReport> shrink(const Module& model, const PathMasks& masks, const at::Tensor& example, double tolerance) {
  const Module masked = masked_copy(model, masks);
  const Module source = copy_model(masked);  // owns the functions that the unshared tree calls
  Module smaller = unshare(source);
  const auto flat = FlatGraph::of(smaller);
  if (!flat) return tl::unexpected(flat.error());
  const auto plan = make_plan(trace_channels(*flat, masks, example));
  if (!plan) return tl::unexpected(plan.error());
  if (auto written = apply_literals(*flat, *plan); !written) return tl::unexpected(written.error());
  apply_slices(smaller, *plan);
  SpeedupReport report{copy_model(smaller), {}, 0, plan->left};
  const auto difference = verify(masked, report.model, example, tolerance);
  if (!difference) return tl::unexpected(difference.error());
  report.max_difference = *difference;
  report.layers = changes(model, report.model);
  restore_modes(report.model, model);
  return report;
}

}  // namespace

Result<SpeedupReport> speed_up(const Module& model, const Masks& masks, const at::Tensor& example, double tolerance) {
  const at::NoGradGuard no_grad;
  return guarded("speed-up", [&]() -> Result<SpeedupReport> {
    const auto checked = check_masks(model, masks);
    if (!checked) return tl::unexpected(checked.error());
    return shrink(model, *checked, example, tolerance);
  });
}

}  // namespace lathe::compression

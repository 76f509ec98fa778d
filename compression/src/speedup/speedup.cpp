#include <lathe/compression/speedup.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <lathe/compression/flat_graph.hpp>

#include "graph/interpreter.hpp"
#include "speedup/masked_model.hpp"
#include "speedup/numbers.hpp"
#include "speedup/patch.hpp"
#include "speedup/pieces.hpp"
#include "speedup/plan.hpp"
#include "speedup/shape_run.hpp"
#include "speedup/slice.hpp"
#include "speedup/solve.hpp"
#include "speedup/traced_model.hpp"
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

std::vector<at::Tensor> outputs_in(const c10::IValue& value) {
  std::vector<at::Tensor> outputs;
  for (const auto& tensor : tensors_in(value))
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

/// What TorchScript makes of the program without optimising it first, which would take longer than the run. It runs on
/// a copy of the classes, since they remember how they were run.
c10::IValue run_as_written(const Module& result, const at::Tensor& input) {
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  return unshare(result).forward({input});
}

/// Largest difference between what the masked model gave and what the sped-up one gives on the same input.
Result<double> compare(const std::vector<at::Tensor>& expected, const Module& result, const at::Tensor& input,
                       double tolerance) {
  const auto found = outputs_in(run_as_written(result, input));
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
std::vector<at::Tensor> run_on_noise(const FlatGraph& masked, const at::Tensor& noise) {
  try {
    auto outputs = outputs_in(interpret(masked, noise, {}));
    return std::isfinite(largest_of(outputs)) ? outputs : std::vector<at::Tensor>{};
  } catch (const std::exception&) {
    return {};
  }
}

/// Whether the input is the same number throughout, so that it may hide differences.
bool is_uniform(const at::Tensor& input) {
  return input.is_floating_point() && input.numel() > 0 && !input.ne(input.reshape({-1})[0]).any().item<bool>();
}

at::Tensor noise_like(const at::Tensor& input) {
  auto generator = at::detail::createCPUGenerator(/*seed=*/1);
  return at::randn(input.sizes(), generator).to(input.options());
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

/// Labels that the call counts stay whole from now on.
Result<void> hold_call(ChannelTrace& trace, const FlatGraph& flat, std::size_t index) {
  const SizedCall& call = trace.calls.at(index);
  Consumer holder{flat.describe(call.node),
                  {},
                  {},
                  {},
                  {},
                  std::nullopt,
                  "this code runs for several layers, which would need different numbers of channels"};
  for (const auto& count : call.counts)
    for (const auto& position : count.positions)
      holder.labels.insert(holder.labels.end(), position.begin(), position.end());
  if (holder.labels.empty())
    return fail(
        fmt::format("{}: this code runs for several layers, which would need different numbers in it", holder.place));
  holder.removable.assign(holder.labels.size(), 0);
  holder.constant.assign(holder.labels.size(), 0);
  holder.foldable.assign(holder.labels.size(), 1);
  trace.consumers.push_back(std::move(holder));
  return {};
}

void note_way_back(Replacements& back, const Replacements& smaller, const at::Tensor& tensor) {
  const auto found = smaller.find(tensor.unsafeGetTensorImpl());
  if (found != smaller.end()) back.emplace(found->second.unsafeGetTensorImpl(), tensor);
}

/// Where the numbers of the smaller model are learnt from.
enum class NumbersFrom {
  Shapes,  ///< from shapes alone, as far as they tell
  Run,     ///< from a run that computes everything
};

std::vector<SeenNumber> numbers_seen(const TracedModel& traced, const Decision& decision, const Plan& plan,
                                     NumbersFrom source) {
  if (source == NumbersFrom::Shapes) {
    try {
      const ShapeRun shapes(decision);
      return watch_numbers(traced.flat, traced.trace, plan, traced.input, &shapes);
    } catch (const std::exception&) {  // the program asks for a value
    }
  }
  return watch_numbers(traced.flat, traced.trace, plan, traced.input, nullptr);
}

/// Cuts the model and writes the new numbers; when one code would need different ones, what it counts is kept.
Result<std::vector<KeptChannels>> cut(TracedModel& traced, const SpeedupOptions& options, NumbersFrom source) {
  Replacements back;
  for (std::size_t attempt = 0; attempt <= traced.trace.calls.size(); ++attempt) {
    Decision decision = solve(traced.trace, options.round_to);
    const auto plan = make_plan(traced.trace, decision);
    if (!plan) return tl::unexpected(plan.error());
    const Replacements smaller = cut_tensors(traced.masked, *plan);
    for (const auto& [path, tensor] : traced.masked.named_parameters()) note_way_back(back, smaller, tensor);
    for (const auto& [path, tensor] : traced.masked.named_buffers()) note_way_back(back, smaller, tensor);
    replace_tensors(traced.masked, smaller);
    const auto seen = numbers_seen(traced, decision, *plan, source);
    const auto conflict = patch_numbers(traced.flat, traced.trace, seen);
    if (!conflict) {
      update_constants(traced.masked, *plan);
      return std::move(decision.left);
    }
    replace_tensors(traced.masked, back);
    back.clear();
    if (auto held = hold_call(traced.trace, traced.flat, conflict->call); !held) return tl::unexpected(held.error());
  }
  return fail("speed-up: the program cannot be rewritten");
}

/// Copies the tensors that are still the original's.
void own_tensors(Module& smaller, const Module& model) {
  std::set<const c10::TensorImpl*> originals;
  for (const auto& tensor : model.parameters()) originals.insert(tensor.unsafeGetTensorImpl());
  for (const auto& tensor : model.buffers()) originals.insert(tensor.unsafeGetTensorImpl());
  Replacements owned;
  const auto add = [&](const at::Tensor& tensor) {
    if (!originals.contains(tensor.unsafeGetTensorImpl())) return;
    at::Tensor copy = tensor.detach().clone();
    copy.set_requires_grad(tensor.requires_grad());
    owned.emplace(tensor.unsafeGetTensorImpl(), std::move(copy));
  };
  for (const auto& tensor : smaller.parameters()) add(tensor);
  for (const auto& tensor : smaller.buffers()) add(tensor);
  replace_tensors(smaller, owned);
}

Result<SpeedupReport> shrink(const Module& model, const PathMasks& masks, const at::Tensor& example,
                             const SpeedupOptions& options, NumbersFrom source) {
  auto traced = trace_model(model, masks, example);
  if (!traced) return tl::unexpected(traced.error());
  if (write_piece_sizes(traced->flat, traced->trace)) {
    auto flat = FlatGraph::of(traced->masked);
    if (!flat) return tl::unexpected(flat.error());
    traced->flat = std::move(*flat);
    traced->trace = trace_channels(traced->flat, masks, traced->input);
  }
  const auto expected = outputs_in(traced->trace.output);
  if (!std::isfinite(largest_of(expected)))
    return fail("speed-up: the masked model's output on the example is not finite");
  const bool uniform = is_uniform(traced->input);
  const at::Tensor noise = uniform ? noise_like(traced->input) : at::Tensor();
  const auto expected_on_noise = uniform ? run_on_noise(traced->flat, noise) : std::vector<at::Tensor>{};

  auto left = cut(*traced, options, source);
  if (!left) return tl::unexpected(left.error());
  own_tensors(traced->masked, model);
  const bool independent = !uses_other_classes(traced->masked);
  SpeedupReport report{independent ? traced->masked : copy_model(traced->masked), {}, 0, std::move(*left)};
  auto difference = compare(expected, report.model, traced->input, options.tolerance);
  if (difference && !expected_on_noise.empty()) {
    const auto second = compare(expected_on_noise, report.model, noise, options.tolerance);
    if (!second) return tl::unexpected(second.error());
    *difference = std::max(*difference, *second);
  }
  if (!difference) return tl::unexpected(difference.error());
  report.max_difference = *difference;
  report.layers = changes(model, report.model);
  restore_modes(report.model, model);
  return report;
}

}  // namespace

Result<SpeedupReport> speed_up(const Module& model, const Masks& masks, const at::Tensor& example,
                               const SpeedupOptions& options) {
  if (options.round_to < 1)
    return fail(fmt::format("speed-up: round_to must be at least 1, found {}", options.round_to));
  const at::NoGradGuard no_grad;
  return guarded("speed-up", [&]() -> Result<SpeedupReport> {
    const auto checked = check_masks(model, masks);
    if (!checked) return tl::unexpected(checked.error());
    auto report = guarded("speed-up", [&] { return shrink(model, *checked, example, options, NumbersFrom::Shapes); });
    if (report) return report;
    // Numbers that follow from values show in a run only; where these were not to blame, it tells the same reason.
    return shrink(model, *checked, example, options, NumbersFrom::Run);
  });
}

Result<SpeedupReport> speed_up(const Module& model, const Masks& masks, const at::Tensor& example, double tolerance) {
  SpeedupOptions options;
  options.tolerance = tolerance;
  return speed_up(model, masks, example, options);
}

}  // namespace lathe::compression

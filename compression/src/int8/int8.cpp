#include <lathe/compression/int8.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string_view>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/passes/constant_pooling.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "graph/schema.hpp"
#include "int8/cost.hpp"
#include "int8/emitter.hpp"
#include "int8/frozen_graph.hpp"
#include "int8/layer_arguments.hpp"
#include "int8/ranges.hpp"
#include "training/eval_mode.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Module;
using torch::jit::Value;

/// Records that show sizes and which branches are taken.
constexpr std::int64_t kExampleRecords = 2;

Sizes sizes_on(const FrozenGraph& frozen, const at::Tensor& example) {
  std::vector<Value*> values;
  for (auto* node : frozen.graph()->nodes()) {
    for (Value* output : node->outputs()) {
      if (output->type()->kind() == c10::TypeKind::TensorType && node->kind() != c10::prim::Constant)
        values.push_back(output);
    }
  }
  const auto found = frozen.run(example, values);
  Sizes sizes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (found[i].isTensor() && found[i].toTensor().defined()) sizes[values[i]] = found[i].toTensor().sizes().vec();
  }
  return sizes;
}

/// A module with the packed weights as attributes and the graph as its forward.
Module module_of(const EmittedGraph& emitted, const std::string& engine) {
  auto unit = std::make_shared<torch::jit::CompilationUnit>();
  Module module(c10::QualifiedName("__torch__.lathe.Int8Model"), unit);
  module.register_attribute("training", c10::BoolType::get(), false);
  module.register_attribute("quantized_engine", c10::StringType::get(), engine);
  for (const PackedWeight& packed : emitted.packed)
    module.register_attribute(packed.attribute, packed.value.type(), packed.value);
  emitted.graph->inputs().at(0)->setType(module.type());
  torch::jit::ConstantPooling(emitted.graph);
  torch::jit::EliminateDeadCode(emitted.graph);
  auto* forward = unit->create_function(c10::QualifiedName(*module.type()->name(), "forward"), emitted.graph);
  module.type()->addMethod(forward);
  return copy_model(module);  // what was saved once and loaded is what everybody gets
}

/// Before the data are looked at: whether it is worth it.
Result<void> check_anything_runs(const FrozenGraph& frozen) {
  std::string reasons;
  for (const auto* node : frozen.graph()->nodes()) {
    if (!is_layer(frozen, node)) continue;
    const auto reason = obstacle(frozen, node);
    if (!reason) return {};
    const std::string& layer = frozen.weight(argument(node, "weight"))->layer;
    reasons += fmt::format("{}layer `{}`: {}", reasons.empty() ? "" : "; ", layer, *reason);
  }
  return fail(fmt::format("no layer can run in int8 ({})",
                          reasons.empty() ? "there is no convolution and no linear layer" : reasons));
}

Result<void> compare(const TappedModel& tapped, Int8Model& made, const at::Tensor& input) {
  const c10::IValue expected = tapped.forward(input);
  const c10::IValue found = made.model.forward({input});
  if (!expected.isTensor() || !found.isTensor()) return {};  // several outputs: evaluation tells
  const at::Tensor difference = (expected.toTensor() - found.toTensor()).abs();
  made.max_difference = difference.max().item().toDouble();
  made.mean_difference = difference.mean().item().toDouble();
  if (!std::isfinite(made.max_difference)) return fail("the int8 model's outputs are not finite");
  return {};
}

Result<Int8Model> convert(const TappedModel& tapped, const std::vector<TensorGrid>& grids, const Dataset& data,
                          const Int8Options& options, const std::string& engine) {
  const at::Tensor example = data.slice(0, std::min(kExampleRecords, data.size())).inputs;
  const auto frozen = FrozenGraph::of(tapped.graph(), grids, example);
  if (!frozen) return tl::unexpected(frozen.error());
  if (auto checked = check_anything_runs(*frozen); !checked) return tl::unexpected(checked.error());
  const auto ranges = observe(*frozen, values_without_grid(*frozen), data, options);
  if (!ranges) return tl::unexpected(ranges.error());
  const bool reduced = options.reduced_range.value_or(!has_exact_int8());
  const Sizes sizes = sizes_on(*frozen, example);
  auto left_float = faster_in_float(*frozen, sizes, example.size(0), options.latency_batch);
  auto emitted = Emitter(*frozen, *ranges, sizes, std::move(left_float), reduced).run();
  if (!emitted) return tl::unexpected(emitted.error());
  Int8Model made{module_of(*emitted, engine), engine, reduced, emitted->layers, emitted->operators,
                 emitted->observed_ranges};
  const at::Tensor batch = data.slice(0, std::min(options.batch_size, data.size())).inputs;
  if (auto compared = compare(tapped, made, batch); !compared) return tl::unexpected(compared.error());
  made.model = copy_model(made.model);  // one that has not seen the size of this batch, see Int8Model::model
  return made;
}

/// LibTorch's interpreter puts a trace in front of what went wrong.
std::string reason_in(const std::string& text) {
  constexpr std::string_view marker = "RuntimeError: ";
  const std::size_t found = text.rfind(marker);
  const std::size_t begin = found == std::string::npos ? 0 : found + marker.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

Result<Int8Model> to_int8(const TappedModel& tapped, const Quantization& quantization, const Dataset& data,
                          const Int8Options& options) {
  if (options.latency_batch < 1) {
    return fail(fmt::format("int8: to be fast for batches of {}; expected 1 or more", options.latency_batch));
  }
  if (options.batches < 1 || options.batch_size < 1) {
    return fail(fmt::format("int8: ranges from {} batches of {}; expected 1 or more of both", options.batches,
                            options.batch_size));
  }
  const auto engine = int8_engine();
  if (!engine) return tl::unexpected(engine.error());
  const auto grids = quantization.grids();
  if (!grids) return tl::unexpected(grids.error());
  const c10::NoGradGuard no_grad;
  const EngineScope scope(*engine);
  const EvalMode eval_mode(tapped.graph().model());
  try {
    auto made = convert(tapped, *grids, data, options, *engine);
    if (!made) return fail("int8: " + made.error().message);
    return made;
  } catch (const c10::Error& error) {
    return fail(fmt::format("int8: {}", reason_in(error.what_without_backtrace())));
  } catch (const std::exception& error) {
    return fail(fmt::format("int8: {}", reason_in(error.what())));
  }
}

}  // namespace lathe::compression

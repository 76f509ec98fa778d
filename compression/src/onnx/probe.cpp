#include "onnx/probe.hpp"

#include <cmath>
#include <string_view>

#include <ATen/Functions.h>

namespace lathe::compression::onnx_out {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  constexpr std::uint64_t kPrime = 1099511628211ULL;
  return (hash ^ value) * kPrime;
}

std::uint64_t hash_of(const at::Tensor& tensor) {
  const at::Tensor bytes = tensor.detach().cpu().contiguous();
  const std::string_view view(static_cast<const char*>(bytes.data_ptr()), bytes.nbytes());
  return mix(std::hash<std::string_view>{}(view), static_cast<std::uint64_t>(tensor.scalar_type()));
}

/// Looks at values; their contents are hashed on demand, as it takes time.
class Look {
 public:
  Look(const DataFlow& flow, bool hashes) : flow_(flow), hashes_(hashes) {}

  Seen at(const c10::IValue& value) {
    seen_ = {};
    visit(value);
    return std::move(seen_);
  }

 private:
  void visit(const c10::IValue& value) {
    if (value.isTensor()) return visit_tensor(value.toTensor());
    if (value.isInt()) return seen_.numbers.push_back(static_cast<double>(value.toInt()));
    if (value.isDouble()) return seen_.numbers.push_back(value.toDouble());
    if (value.isBool()) return seen_.numbers.push_back(value.toBool() ? 1 : 0);
    if (value.isTuple()) {
      for (const c10::IValue& element : value.toTupleRef().elements()) visit(element);
    } else if (value.isList()) {
      const auto list = value.toList();
      for (std::size_t i = 0; i < list.size(); ++i) visit(list.get(i));
    }
  }

  void visit_tensor(const at::Tensor& tensor) {
    if (!tensor.defined()) return;
    seen_.shapes.push_back(tensor.sizes().vec());
    if (flow_.is_data(tensor)) return;
    if (tensor.numel() == 1 && !tensor.is_complex()) seen_.numbers.push_back(tensor.detach().item().toDouble());
    if (hashes_) seen_.hash = mix(seen_.hash, hash_of(tensor));
  }

  const DataFlow& flow_;
  bool hashes_;
  Seen seen_;
};

std::vector<Seen> look_at_all(const Values& values, Look look) {
  std::vector<Seen> all;
  for (const c10::IValue& value : values) all.push_back(look.at(value));
  return all;
}

}  // namespace

std::vector<Seen> look_at_outputs(const torch::jit::Node* node, const Values& outputs, const DataFlow& flow) {
  // Instructions of the interpreter make no tensors but of one number.
  const bool makes_tensors = !node->kind().is_prim();
  return look_at_all(outputs, Look(flow, makes_tensors));
}

std::vector<Seen> look_at_inputs(const Values& inputs, const DataFlow& flow) {
  return look_at_all(inputs, Look(flow, false));
}

at::Tensor batch_of(const at::Tensor& example, std::int64_t batch) {
  return example.index_select(0, at::arange(batch, at::kLong).remainder(example.size(0)).to(example.device()));
}

Probe::Probe(const Program& program, const TapPlan& taps, const at::Tensor& example, std::int64_t batch)
    : batch_(batch) {
  const at::Tensor input = batch_of(example, batch);
  DataFlow flow;
  flow.add_input(input);
  (void)program.run(input, taps.taps, [&](const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
    SeenStep step{node, look_at_inputs(inputs, flow), {}};
    flow.step(node, inputs, outputs, taps.quantized.contains(node));
    step.outputs = look_at_outputs(node, outputs, flow);
    steps_.push_back(std::move(step));
  });
}

std::optional<Size> SizeFit::fit(double at_batch, double first, double second) {
  if (at_batch == first && first == second) {
    return std::abs(at_batch) < 1e18 ? Size{0, static_cast<std::int64_t>(at_batch)} : Size{};
  }
  const double slope = first - at_batch;  // the first probe has one sample more
  const double fixed = at_batch - slope * static_cast<double>(kBatch);
  if (slope != std::floor(slope) || fixed != std::floor(fixed)) return std::nullopt;
  if (slope * static_cast<double>(kProbes[1]) + fixed != second) return std::nullopt;
  return Size{static_cast<std::int64_t>(slope), static_cast<std::int64_t>(fixed)};
}

}  // namespace lathe::compression::onnx_out

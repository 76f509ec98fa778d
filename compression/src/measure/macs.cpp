#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/measure.hpp>

#include "measure/observed_run.hpp"
#include "measure/operations.hpp"

namespace lathe::compression {
namespace {

/// Every weight is used once for each place of the output (of the input, when the convolution is transposed) and
/// sample.
std::int64_t macs_of(const LayerOp& op, const at::Tensor& weight, const at::Tensor& input, const at::Tensor& output) {
  const bool is_convolution = weight.dim() > 2;
  const at::Tensor& places = op.transposed ? input : output;
  const std::int64_t channels = is_convolution ? places.size(places.dim() - weight.dim() + 1) : places.size(-1);
  return weight.numel() * (places.numel() / std::max<std::int64_t>(channels, 1));
}

/// Sums by layer while a graph runs.
class Counter {
 public:
  Counter(const FlatGraph& flat, CountMode mode) : flat_(flat), mode_(mode) {
    for (auto& op : flat.layer_ops()) ops_.emplace(op.node, op);
    for (const auto& [name, tensor] : flat.model().named_parameters()) parameters_.emplace(name, tensor);
  }

  void observe(const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
    const auto op = ops_.find(node);
    const auto weight = op == ops_.end() ? parameters_.end() : parameters_.find(op->second.weight);
    if (weight != parameters_.end()) {
      const at::Tensor output = outputs.at(0).toTensor();
      add(op->second.layer, macs_of(op->second, weight->second, input_of(node, inputs), output) +
                                (mode_ == CountMode::Full && has_bias(node, inputs) ? output.numel() : 0));
    } else if (mode_ == CountMode::Full) {
      const auto operations = operations_of(node, inputs, outputs);
      const auto* origin = flat_.origin(node);
      if (operations > 0) add(origin == nullptr ? "" : origin->module, operations);
    }
  }

  /// Of one of so many samples.
  [[nodiscard]] std::vector<LayerMacs> counts(std::int64_t samples) const {
    auto list = list_;
    for (auto& each : list) each.macs /= std::max<std::int64_t>(samples, 1);
    return list;
  }

 private:
  /// The tensor that the layer reads: `self` and `bias` of addmm come before it.
  static at::Tensor input_of(const torch::jit::Node* node, const Values& inputs) {
    return inputs.at(node->kind() == c10::aten::addmm ? 1 : 0).toTensor();
  }

  static bool has_bias(const torch::jit::Node* node, const Values& inputs) {
    const std::size_t bias = node->kind() == c10::aten::addmm ? 0 : 2;
    return inputs.size() > bias && inputs[bias].isTensor() && inputs[bias].toTensor().defined();
  }

  void add(const std::string& layer, std::int64_t macs) {
    const auto known = places_.find(layer);
    if (known != places_.end()) {
      list_[known->second].macs += macs;
      return;
    }
    places_.emplace(layer, list_.size());
    list_.push_back({layer, macs});
  }

  const FlatGraph& flat_;
  CountMode mode_;
  std::unordered_map<const torch::jit::Node*, LayerOp> ops_;
  std::unordered_map<std::string, at::Tensor> parameters_;
  std::vector<LayerMacs> list_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

Result<std::vector<LayerMacs>> count_macs(const torch::jit::Module& model, const at::Tensor& example, CountMode mode) {
  if (example.dim() == 0) return fail("counting: the example has no batch axis");
  std::vector<LayerMacs> counts;
  std::shared_ptr<Counter> counter;
  const auto watch = [&](const FlatGraph& flat) -> Observer {
    counter = std::make_shared<Counter>(flat, mode);
    return [&counter = *counter](const auto* node, const auto& inputs, const auto& outputs) {
      counter.observe(node, inputs, outputs);
    };
  };
  const auto done =
      run_observed(model, example, watch, [&](const c10::IValue&) { counts = counter->counts(example.size(0)); });
  if (!done) return tl::unexpected(done.error());
  return counts;
}

std::int64_t total_macs(const std::vector<LayerMacs>& layers) {
  std::int64_t total = 0;
  for (const auto& layer : layers) total += layer.macs;
  return total;
}

}  // namespace lathe::compression

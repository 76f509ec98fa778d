#include <algorithm>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/measure.hpp>

#include "measure/observed_run.hpp"
#include "measure/visit_tensors.hpp"

namespace lathe::compression {
namespace {

/// From the step that makes a memory block to the last that uses it.
struct Lifetime {
  std::int64_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Steps are the operators in the order of their run. Weak references keep the address of a block that is gone from
/// being another's, without its memory.
class Watch {
 public:
  explicit Watch(const at::Tensor& input) { use(input); }

  void observe(const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
    ++step_;
    if (node->kind() == torch::jit::prim::GetAttr || node->kind() == torch::jit::prim::Constant) {
      for (const auto& value : outputs) visit_tensors(value, [this](const at::Tensor& tensor) { ignore(tensor); });
      return;
    }
    for (const auto& value : inputs) use_all(value);
    for (const auto& value : outputs) use_all(value);
  }

  void finish(const c10::IValue& output) {
    ++step_;
    use_all(output);
  }

  [[nodiscard]] std::int64_t peak() const {
    std::vector<std::int64_t> change(step_ + 2);
    for (const auto& [block, life] : lives_) {
      change[life.first] += life.bytes;
      change[life.last + 1] -= life.bytes;
    }
    std::int64_t live = 0;
    std::int64_t most = 0;
    for (const auto bytes : change) most = std::max(most, live += bytes);
    return most;
  }

 private:
  using Block = const c10::StorageImpl*;

  void use_all(const c10::IValue& value) {
    visit_tensors(value, [this](const at::Tensor& tensor) { use(tensor); });
  }

  void ignore(const at::Tensor& tensor) {
    if (const Block block = block_of(tensor)) ignored_.insert(block);
  }

  void use(const at::Tensor& tensor) {
    const Block block = block_of(tensor);
    if (block == nullptr || ignored_.contains(block)) return;
    auto& life = lives_.try_emplace(block, Lifetime{0, step_, step_}).first->second;
    life.bytes = std::max(life.bytes, static_cast<std::int64_t>(block->nbytes()));
    life.last = step_;
  }

  Block block_of(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.has_storage()) return nullptr;
    const Block block = tensor.storage().unsafeGetStorageImpl();
    if (seen_.insert(block).second) references_.push_back(tensor.storage().getWeakStorageImpl());
    return block;
  }

  std::size_t step_ = 0;
  std::unordered_map<Block, Lifetime> lives_;
  std::unordered_set<Block> ignored_;
  std::unordered_set<Block> seen_;
  std::vector<c10::weak_intrusive_ptr<c10::StorageImpl>> references_;
};

}  // namespace

Result<std::int64_t> peak_activation_bytes(const torch::jit::Module& model, const at::Tensor& example) {
  const at::Tensor input = example.clone();  // a view of a data set would count as the whole of it
  Watch watch(input);
  const auto done = run_observed(
      model, input,
      [&](const FlatGraph&) -> Observer {
        return [&](const auto* node, const auto& inputs, const auto& outputs) { watch.observe(node, inputs, outputs); };
      },
      [&](const c10::IValue& output) { watch.finish(output); });
  if (!done) return tl::unexpected(done.error());
  return watch.peak();
}

}  // namespace lathe::compression

#include <lathe/compression/pruner.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

/// Below every metric, which are all >= 0: what is pruned already goes first.
constexpr double kPrunedAlready = -1;

/// 1 for the units that stay, 0 for the `count` units of the smallest metric, earlier index first among equals.
at::Tensor keep_largest(const at::Tensor& metric, std::int64_t count) {
  const at::Tensor values = metric.contiguous();
  const double* value = values.data_ptr<double>();
  std::vector<std::int64_t> order(static_cast<std::size_t>(values.numel()));
  std::iota(order.begin(), order.end(), 0);
  const auto smaller = [value](std::int64_t a, std::int64_t b) {
    return value[a] != value[b] ? value[a] < value[b] : a < b;
  };
  std::nth_element(order.begin(), order.begin() + count, order.end(), smaller);
  at::Tensor keep = at::ones({values.numel()}, at::kDouble);
  double* kept = keep.data_ptr<double>();
  for (std::int64_t i = 0; i < count; ++i) kept[order[static_cast<std::size_t>(i)]] = 0;
  return keep;
}

class LevelPruner final : public Pruner {
 public:
  [[nodiscard]] bool structured() const override { return false; }
  [[nodiscard]] const std::vector<std::string>& supported_types() const override { return any_; }
  [[nodiscard]] const std::vector<std::string>& default_types() const override { return default_op_types(); }

  [[nodiscard]] Mask mask(const Layer& layer, double sparsity, const Mask* current) const override {
    const at::Tensor weight = layer.weight.detach();
    at::Tensor metric = weight.abs().to(at::kDouble).flatten();
    if (current != nullptr) metric = metric.masked_fill(current->weight.flatten() == 0, kPrunedAlready);
    Mask result;
    result.weight =
        keep_largest(metric, pruned_count(metric.numel(), sparsity)).to(weight.dtype()).view(weight.sizes());
    if (layer.bias.defined()) result.bias = at::ones_like(layer.bias.detach());
    return result;
  }

 private:
  std::vector<std::string> any_;
};

class L1Pruner final : public Pruner {
 public:
  [[nodiscard]] bool structured() const override { return true; }
  [[nodiscard]] const std::vector<std::string>& supported_types() const override { return types_; }
  [[nodiscard]] const std::vector<std::string>& default_types() const override { return types_; }

  [[nodiscard]] Mask mask(const Layer& layer, double sparsity, const Mask* current) const override {
    const at::Tensor weight = layer.weight.detach();
    const std::int64_t filters = weight.size(0);
    at::Tensor norms = weight.to(at::kDouble).abs().reshape({filters, -1}).sum(1);
    if (current != nullptr) norms = norms.masked_fill(pruned_filters(*current), kPrunedAlready);
    const at::Tensor keep = keep_largest(norms, pruned_count(filters, sparsity)).to(weight.dtype());
    std::vector<std::int64_t> along_filters(static_cast<std::size_t>(weight.dim()), 1);
    along_filters[0] = filters;
    Mask result;
    result.weight = keep.view(along_filters).expand(weight.sizes()).contiguous();
    if (layer.bias.defined()) result.bias = keep.clone();
    return result;
  }

 private:
  [[nodiscard]] static at::Tensor pruned_filters(const Mask& mask) {
    return mask.weight.reshape({mask.weight.size(0), -1}).amax(1) == 0;
  }

  std::vector<std::string> types_{"Conv1d", "Conv2d", "Linear"};
};

}  // namespace

std::unique_ptr<Pruner> Pruner::create(PruningMetric metric) {
  if (metric == PruningMetric::L1) return std::make_unique<L1Pruner>();
  return std::make_unique<LevelPruner>();
}

std::int64_t pruned_count(std::int64_t units, double sparsity) {
  const auto count = static_cast<std::int64_t>(std::trunc(static_cast<double>(units) * sparsity));
  return std::clamp<std::int64_t>(count, 0, std::max<std::int64_t>(units - 1, 0));
}

Result<void> check_layers(const Pruner& pruner, const std::vector<SelectedLayer>& layers) {
  const auto& types = pruner.supported_types();
  for (const auto& [layer, target] : layers) {
    if (!types.empty() && std::find(types.begin(), types.end(), layer.type) == types.end()) {
      return fail(fmt::format("layer {} is a {}, which this algorithm cannot prune; it prunes {}", layer.name,
                              layer.type, fmt::join(types, ", ")));
    }
    if (layer.weight.numel() == 0) return fail(fmt::format("layer {}: its weight is empty", layer.name));
    if (!layer.weight.is_floating_point()) {
      return fail(fmt::format("layer {}: its weight is of type {}; expected floating-point numbers", layer.name,
                              c10::toString(layer.weight.scalar_type())));
    }
    if (!at::isfinite(layer.weight.detach()).all().item<bool>()) {
      return fail(fmt::format("layer {}: its weight holds NaN or infinite values", layer.name));
    }
  }
  return {};
}

}  // namespace lathe::compression

#include <lathe/compression/filter_statistics.hpp>

#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

namespace lathe::compression {
namespace {

at::Tensor activated(const at::Tensor& output, Activation activation) {
  return activation == Activation::Relu6 ? output.detach().clamp(0, 6) : output.detach().clamp_min(0);
}

/// Every axis but one.
std::vector<std::int64_t> other_axes(const at::Tensor& tensor, std::int64_t axis) {
  std::vector<std::int64_t> others;
  for (std::int64_t i = 0; i < tensor.dim(); ++i)
    if (i != axis) others.push_back(i);
  return others;
}

/// A linear layer's output without a batch has no other axis, and ATen takes an empty list for all of them.
at::Tensor sum_over_places(const at::Tensor& tensor, std::int64_t axis) {
  const auto others = other_axes(tensor, axis);
  return others.empty() ? tensor.to(at::kDouble) : tensor.sum(others, /*keepdim=*/false, at::kDouble);
}

double places_of(const at::Tensor& output, std::int64_t axis) {
  return static_cast<double>(output.numel()) / static_cast<double>(output.size(axis));
}

}  // namespace

void FilterStatistics::add_gradient(const std::string& layer, const at::Tensor& weights, const at::Tensor& gradients) {
  const c10::NoGradGuard no_grad;
  add(layer, (weights.detach().to(at::kDouble) * gradients.detach().to(at::kDouble)).square().sum(1), 0);
}

void FilterStatistics::add_nonzero_share(const std::string& layer, const at::Tensor& output, std::int64_t axis,
                                         Activation activation) {
  const c10::NoGradGuard no_grad;
  const at::Tensor active = activated(output, activation);
  // A comparison takes NaN for a zero; the second term keeps it NaN.
  add(layer, sum_over_places(active.gt(0), axis) + 0 * sum_over_places(active, axis), places_of(output, axis));
}

void FilterStatistics::add_mean(const std::string& layer, const at::Tensor& output, std::int64_t axis,
                                Activation activation) {
  const c10::NoGradGuard no_grad;
  add(layer, sum_over_places(activated(output, activation), axis), places_of(output, axis));
}

at::Tensor FilterStatistics::of(const std::string& layer) const {
  const auto found = gathered_.find(layer);
  if (found == gathered_.end()) return {};
  return found->second.places > 0 ? found->second.sum / found->second.places : found->second.sum;
}

void FilterStatistics::add(const std::string& layer, const at::Tensor& amounts, double places) {
  Gathered& gathered = gathered_[layer];
  gathered.sum = gathered.sum.defined() ? gathered.sum + amounts.cpu() : amounts.cpu();
  gathered.places += places;
}

}  // namespace lathe::compression

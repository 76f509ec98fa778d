// What running a model on data tells about its filters: gradients for the Taylor expansion, activations for APoZ and
// for their mean.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace lathe::compression {

/// What stands between a layer and the statistics of its activations. The pruner applies it to the layer's own output;
/// the network's activation is not looked at.
enum class Activation { Relu, Relu6 };

/// Sums over batches, by layer; one number a filter, double [filters].
class FilterStatistics {
 public:
  /// The first-order Taylor expansion of what removing a filter does to the loss: adds sum (w · dL/dw)² over each row.
  /// Both are [filters, weights of a filter]. Molchanov et al., "Importance Estimation for Neural Network Pruning",
  /// CVPR 2019.
  void add_gradient(const std::string& layer, const at::Tensor& weights, const at::Tensor& gradients);

  /// Share of the activations on `axis` that are not zero, i.e. 1 - APoZ: Hu et al., "Network Trimming", 2016
  /// (arXiv 1607.03250).
  void add_nonzero_share(const std::string& layer, const at::Tensor& output, std::int64_t axis, Activation activation);

  /// Mean of the activations on `axis`: Molchanov et al., 2016 (arXiv 1611.06440).
  void add_mean(const std::string& layer, const at::Tensor& output, std::int64_t axis, Activation activation);

  /// The sum of what gradients added; the mean over all places and batches of what activations did. Undefined when
  /// nothing is known about the layer.
  [[nodiscard]] at::Tensor of(const std::string& layer) const;

  void clear() { gathered_.clear(); }

 private:
  struct Gathered {
    at::Tensor sum;
    double places = 0;  ///< that the sum is a mean over; 0: it is a sum
  };

  void add(const std::string& layer, const at::Tensor& amounts, double places);

  std::map<std::string, Gathered> gathered_;
};

}  // namespace lathe::compression

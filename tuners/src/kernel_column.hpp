// The kernels that a set of trials puts on one parameter, relative to the parameter's prior: kernel density divided by
// prior density. Rows are positions of trials in the set; a trial that did not use the parameter has no kernel here,
// which stands for the prior, a ratio of 1.
//
// Numbers: a Gaussian around each value, cut at the bounds and normalised one by one. Its width is the larger of the
// gaps to the two neighbouring values, held within [max(0.03, 1/(n+2)), 1] of the range (of sigma for the normal
// family) for n kernels: "hyperopt" bandwidth with the magic clipping of Watanabe 2023, arXiv:2304.11127, without the
// bounds as neighbours, which leaves the outermost kernels too wide to converge. Stepped values sit at their rounded
// places; where the step is coarse, the width is at least 0.4 of it.
//
// Options: the trial's own with weight 1 + a, every other one with weight a, a = prior weight / (n+1) (Optuna's
// kernel).
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "axis.hpp"
#include "random.hpp"

namespace lathe::tuners {

class KernelColumn {
 public:
  /// `values[k]` is the internal value of the trial in row `rows[k]`; rows ascend and are < `row_count`.
  KernelColumn(const Axis& axis, std::vector<std::size_t> rows, std::vector<double> values, std::size_t row_count,
               double prior_weight);

  /// Adds log(kernel(x) / prior(x)) to the totals of the rows that have a kernel.
  void add_log_ratios(double x, std::vector<double>& totals) const;

  /// A draw from the kernel of a row; nullopt when the row has none.
  [[nodiscard]] std::optional<double> sample(std::size_t row, RandomStream& random) const;

 private:
  void set_widths();
  void add_option_ratios(double x, std::vector<double>& totals) const;
  [[nodiscard]] double sample_option(double own, RandomStream& random) const;
  [[nodiscard]] double sample_number(std::size_t kernel, RandomStream& random) const;

  const Axis* axis_;
  std::vector<std::size_t> rows_;
  std::vector<double> values_;
  bool every_row_;

  std::vector<double> widths_;           // numbers: standard deviation,
  std::vector<double> half_precisions_;  // 1 / (2 width^2),
  std::vector<double> log_scales_;       // and the constant of the log ratio

  double other_weight_ = 0;  // options: a
  double log_own_ = 0;
  double log_other_ = 0;
};

/// For each value the larger of the gaps to its two neighbours (equal values are neighbours, too; an outermost value
/// has one), held within [floor, 1]; floor > 0. Linear in the number of values: sorted into cells no wider than
/// `floor`, only the outermost values of a cell can have a gap beyond it.
[[nodiscard]] std::vector<double> neighbour_widths(const std::vector<double>& values, double floor);

}  // namespace lathe::tuners

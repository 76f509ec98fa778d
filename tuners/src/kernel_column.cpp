#include "kernel_column.hpp"

#include <algorithm>
#include <cmath>

#include "gaussian.hpp"

namespace lathe::tuners {
namespace {

constexpr double kFloor = 0.03;
constexpr double kCoarseStep = 0.4;

/// The smallest and the largest value of one cell; empty while lowest > highest.
struct Cell {
  double lowest;
  double highest;
};

}  // namespace

std::vector<double> neighbour_widths(const std::vector<double>& values, double floor) {
  if (values.empty()) return {};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double start = *least;
  const auto cell_of = [&](double value) { return static_cast<std::size_t>((value - start) / floor); };
  std::vector<Cell> cells(cell_of(*most) + 1, Cell{*most, *least});
  for (const double value : values) {
    Cell& cell = cells[cell_of(value)];
    cell = {std::min(cell.lowest, value), std::max(cell.highest, value)};
  }
  // For each cell the nearest values outside it; its own outermost ones where there are none.
  std::vector<Cell> outside(cells.size());
  double before = *least;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    outside[i].lowest = before;
    if (cells[i].lowest <= cells[i].highest) before = cells[i].highest;
  }
  double after = *most;
  for (std::size_t i = cells.size(); i-- > 0;) {
    outside[i].highest = after;
    if (cells[i].lowest <= cells[i].highest) after = cells[i].lowest;
  }
  std::vector<double> widths;
  widths.reserve(values.size());
  for (const double value : values) {
    const std::size_t i = cell_of(value);
    double gap = floor;
    if (value == cells[i].lowest) gap = std::max(gap, value - outside[i].lowest);
    if (value == cells[i].highest) gap = std::max(gap, outside[i].highest - value);
    widths.push_back(std::min(gap, 1.0));
  }
  return widths;
}

KernelColumn::KernelColumn(const Axis& axis, std::vector<std::size_t> rows, std::vector<double> values,
                           std::size_t row_count, double prior_weight)
    : axis_(&axis), rows_(std::move(rows)), values_(std::move(values)), every_row_(rows_.size() == row_count) {
  if (axis.scale() == Scale::Categorical) {
    const double options = static_cast<double>(axis.options());
    other_weight_ = prior_weight / (static_cast<double>(values_.size()) + 1);
    const double log_mean = std::log((1 + options * other_weight_) / options);
    log_own_ = std::log(1 + other_weight_) - log_mean;
    log_other_ = std::log(other_weight_) - log_mean;
  } else {
    set_widths();
  }
}

void KernelColumn::set_widths() {
  const bool gaussian = axis_->scale() == Scale::Gaussian;
  const double floor = std::max(kFloor, 1 / (static_cast<double>(values_.size()) + 2));
  widths_ = neighbour_widths(values_, floor);
  half_precisions_.reserve(values_.size());
  log_scales_.reserve(values_.size());
  const double coarse = std::min(1.0, kCoarseStep * axis_->step());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double width = widths_[i] = std::max(widths_[i], coarse);
    half_precisions_.push_back(0.5 / (width * width));
    // Cut Gaussian over uniform, or Gaussian over Gaussian, where the factors sqrt(2 pi) cancel.
    const double mass = gaussian ? 1 : normal_mass_around_zero(-values_[i] / width, (1 - values_[i]) / width);
    log_scales_.push_back(-std::log(width * mass) - (gaussian ? 0 : kLogSqrtTwoPi));
  }
}

void KernelColumn::add_log_ratios(double x, std::vector<double>& totals) const {
  if (axis_->scale() == Scale::Categorical) return add_option_ratios(x, totals);
  const double log_inverse_prior = axis_->scale() == Scale::Gaussian ? x * x / 2 : 0;
  const auto log_ratio = [&](std::size_t i) {
    const double distance = x - values_[i];
    return log_scales_[i] + log_inverse_prior - half_precisions_[i] * distance * distance;
  };
  // The straight loop is worth its line: it is most of a suggestion's time, and the compiler vectorises it.
  if (every_row_) {
    for (std::size_t i = 0; i < values_.size(); ++i) totals[i] += log_ratio(i);
  } else {
    for (std::size_t i = 0; i < values_.size(); ++i) totals[rows_[i]] += log_ratio(i);
  }
}

void KernelColumn::add_option_ratios(double x, std::vector<double>& totals) const {
  for (std::size_t i = 0; i < values_.size(); ++i) totals[rows_[i]] += values_[i] == x ? log_own_ : log_other_;
}

std::optional<double> KernelColumn::sample(std::size_t row, RandomStream& random) const {
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), row);
  if (found == rows_.end() || *found != row) return std::nullopt;
  const auto kernel = static_cast<std::size_t>(found - rows_.begin());
  return axis_->scale() == Scale::Categorical ? sample_option(values_[kernel], random) : sample_number(kernel, random);
}

double KernelColumn::sample_option(double own, RandomStream& random) const {
  const double total = 1 + static_cast<double>(axis_->options()) * other_weight_;
  return random.uniform() * total < 1 ? own : axis_->sample(random);
}

double KernelColumn::sample_number(std::size_t kernel, RandomStream& random) const {
  const double centre = values_[kernel];
  const double width = widths_[kernel];
  if (axis_->scale() == Scale::Gaussian) return centre + width * random.normal();
  const double low = normal_cdf(-centre / width);
  const double high = normal_cdf((1 - centre) / width);
  const double p = low + (high - low) * random.uniform();
  if (p <= 0 || p >= 1) return centre;
  return std::clamp(centre + width * normal_quantile(p), 0.0, 1.0);
}

}  // namespace lathe::tuners

#include "axis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>

namespace lathe::tuners {
namespace {

using nlohmann::ordered_json;

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr double kSmallest = std::numeric_limits<double>::min();
constexpr double kExactIntegers = 0x1.0p53;
constexpr double kGaussianReach = 10;
constexpr double kGridReach = 4;

/// Rounds half to even, as Python's round() does (the default rounding mode).
double round_half_even(double x) {
  return std::nearbyint(x);
}

/// The place of x between origin and end. Halved first, so that no finite bounds overflow.
double place_between(double x, double origin, double end) {
  return (x / 2 - origin / 2) / (end / 2 - origin / 2) + 0.0;
}

}  // namespace

Axis::Axis(const proto::Distribution& distribution) {
  std::visit([this](const auto& of_kind) { initialise(of_kind); }, distribution);
}

void Axis::initialise(const proto::Choice& choice) {
  scale_ = Scale::Categorical;
  for (const proto::Option& option : choice.options) {
    ordered_json value = option.value;
    if (!option.name.empty() && !value.is_object()) value = ordered_json{{"_name", option.name}};
    const std::size_t first_equal = find_option(value).value_or(options_.size());
    if (first_equal == options_.size()) distinct_.push_back(first_equal);
    options_.push_back({value, nlohmann::json(value), option.name, first_equal});
  }
  grid_size_ = distinct_.size();
}

void Axis::initialise(const proto::RandInt& integers) {
  integral_ = true;
  stepped_ = true;
  first_integer_ = integers.low;
  integers_ = static_cast<std::uint64_t>(integers.high) - static_cast<std::uint64_t>(integers.low);
  step_ = 1 / static_cast<double>(integers_);
  if (static_cast<double>(integers_) < kExactIntegers) grid_size_ = integers_;
}

void Axis::initialise(const proto::Uniform& uniform) {
  log_ = uniform.log;
  minimum_ = uniform.low;
  maximum_ = uniform.high;
  origin_ = log_ ? std::log(uniform.low) : uniform.low;
  end_ = log_ ? std::log(uniform.high) : uniform.high;
  if (!uniform.q) return;
  q_ = *uniform.q;
  stepped_ = true;
  if (!log_) step_ = std::min(1.0, q_ / 2 / (uniform.high / 2 - uniform.low / 2));
  set_grid(uniform.low, uniform.high);
}

void Axis::initialise(const proto::Normal& normal) {
  scale_ = Scale::Gaussian;
  log_ = normal.log;
  minimum_ = log_ ? kSmallest : -kLargest;
  maximum_ = kLargest;
  origin_ = normal.mu;
  sigma_ = normal.sigma;
  if (!normal.q) return;
  q_ = *normal.q;
  stepped_ = true;
  if (log_)
    minimum_ = 0;
  else
    step_ = q_ / normal.sigma;
  const double reach = kGridReach * normal.sigma;
  set_grid(log_ ? std::exp(normal.mu - reach) : normal.mu - reach,
           log_ ? std::exp(normal.mu + reach) : normal.mu + reach);
}

void Axis::set_grid(double first_value, double last_value) {
  first_grid_multiple_ = round_half_even(first_value / q_);
  const double size = round_half_even(last_value / q_) - first_grid_multiple_ + 1;
  const double furthest = std::max(std::abs(first_value), std::abs(last_value)) / q_;
  if (size < kExactIntegers && furthest < kExactIntegers) grid_size_ = static_cast<std::uint64_t>(size);
}

double Axis::sample(RandomStream& random) const {
  switch (scale_) {
    case Scale::Categorical:
      return canonical(static_cast<double>(random.below(options_.size())));
    case Scale::Gaussian:
      return random.normal();
    case Scale::Unit:
      break;
  }
  return random.uniform();
}

ordered_json Axis::value(double internal) const {
  if (scale_ == Scale::Categorical) return options_.at(static_cast<std::size_t>(internal)).value;
  if (integral_) return integer(internal);
  return number(internal);
}

std::int64_t Axis::integer(double internal) const {
  const double size = static_cast<double>(integers_);
  const double cell = std::floor(std::clamp(internal, 0.0, 1.0) * size);
  // For ranges near 2^64 `size` itself is rounded, so the last cell is met by comparison and not by conversion.
  const std::uint64_t index = cell >= size ? integers_ - 1 : std::min(static_cast<std::uint64_t>(cell), integers_ - 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first_integer_) + index);
}

double Axis::number(double internal) const {
  double x = scale_ == Scale::Unit ? std::lerp(origin_, end_, internal) : origin_ + sigma_ * internal;
  if (log_) x = std::exp(x);
  return quantised(std::clamp(x, minimum_, maximum_));
}

double Axis::quantised(double value) const {
  if (q_ == 0) return value;
  const double rounded = round_half_even(value / q_) * q_;
  if (!std::isfinite(rounded)) return value;
  return std::clamp(rounded, minimum_, maximum_) + 0.0;
}

std::optional<double> Axis::read(const ordered_json& value) const {
  if (scale_ == Scale::Categorical) return find_option(value);
  if (!value.is_number()) return std::nullopt;
  return integral_ ? read_integer(value) : read_number(value.get<double>());
}

std::optional<std::size_t> Axis::find_option(const nlohmann::json& value) const {
  const auto matches = [&](const OptionKey& option) {
    if (option.name.empty()) return value == option.comparable;
    return value.is_object() && value.contains("_name") && value["_name"] == option.name;
  };
  const auto found = std::find_if(options_.begin(), options_.end(), matches);
  if (found == options_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - options_.begin());
}

std::optional<double> Axis::read_integer(const ordered_json& value) const {
  std::int64_t integer = 0;
  if (value.is_number_float()) {
    const double x = value.get<double>();
    if (!(std::abs(x) < kExactIntegers) || x != std::floor(x)) return std::nullopt;
    integer = static_cast<std::int64_t>(x);
  } else if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  } else {
    integer = value.get<std::int64_t>();
  }
  const std::uint64_t index = static_cast<std::uint64_t>(integer) - static_cast<std::uint64_t>(first_integer_);
  if (integer < first_integer_ || index >= integers_) return std::nullopt;
  return (static_cast<double>(index) + 0.5) / static_cast<double>(integers_);
}

std::optional<double> Axis::read_number(double value) const {
  if (!(value >= minimum_ && value <= maximum_)) return std::nullopt;
  double x = value;
  // qlognormal may round to 0, whose logarithm is nowhere: take the middle of the cell (0, q/2) for it.
  if (log_) x = std::log(std::max(value, scale_ == Scale::Gaussian ? std::max(q_ / 4, kSmallest) : kSmallest));
  if (scale_ == Scale::Unit) return std::clamp(place_between(x, origin_, end_), 0.0, 1.0);
  return std::clamp((x - origin_) / sigma_, -kGaussianReach, kGaussianReach) + 0.0;
}

double Axis::canonical(double internal) const {
  if (scale_ == Scale::Categorical)
    return static_cast<double>(options_[static_cast<std::size_t>(internal)].first_equal);
  if (!stepped_) return internal;
  return integral_ ? read_integer(integer(internal)).value_or(internal)
                   : read_number(number(internal)).value_or(internal);
}

double Axis::grid_point(std::uint64_t index) const {
  if (scale_ == Scale::Categorical) return static_cast<double>(distinct_[index]);
  if (integral_) return (static_cast<double>(index) + 0.5) / static_cast<double>(integers_);
  const double value = (first_grid_multiple_ + static_cast<double>(index)) * q_;
  return read_number(std::clamp(value, minimum_, maximum_) + 0.0).value_or(0.0);
}

std::uint64_t Axis::grid_index(double internal) const {
  if (scale_ == Scale::Categorical) {
    const auto place = std::lower_bound(distinct_.begin(), distinct_.end(), static_cast<std::size_t>(internal));
    return static_cast<std::uint64_t>(place - distinct_.begin());
  }
  if (integral_) return static_cast<std::uint64_t>(integer(internal)) - static_cast<std::uint64_t>(first_integer_);
  const double index = round_half_even(number(internal) / q_) - first_grid_multiple_;
  return static_cast<std::uint64_t>(std::clamp(index, 0.0, static_cast<double>(*grid_size_ - 1)));
}

}  // namespace lathe::tuners

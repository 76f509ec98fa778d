#include "pruning/filter_norms.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include "vectorised.hpp"

namespace lathe::compression {
namespace {

/// Sum of `term` over a row, in double. Sixteen running sums: one would wait for itself, and their number may not
/// depend on the machine, or the last digit would.
template <class T, class Term>
[[gnu::always_inline]] inline double sum_over(const T* row, std::int64_t size, Term term) {
  constexpr std::size_t block = 16;
  std::array<double, block> sums{};
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(block) <= size; i += static_cast<std::int64_t>(block))
    for (std::size_t j = 0; j < block; ++j) sums[j] += term(static_cast<double>(row[i + static_cast<std::int64_t>(j)]));
  double total = 0;
  for (const double sum : sums) total += sum;
  for (; i < size; ++i) total += term(static_cast<double>(row[i]));
  return total;
}

constexpr auto kMagnitude = [](double value) { return std::abs(value); };
constexpr auto kSquare = [](double value) { return value * value; };

LATHE_VECTORISED double sum_of_magnitudes(const float* row, std::int64_t size) {
  return sum_over(row, size, kMagnitude);
}

LATHE_VECTORISED double sum_of_magnitudes(const double* row, std::int64_t size) {
  return sum_over(row, size, kMagnitude);
}

LATHE_VECTORISED double sum_of_squares(const float* row, std::int64_t size) {
  return sum_over(row, size, kSquare);
}

LATHE_VECTORISED double sum_of_squares(const double* row, std::int64_t size) {
  return sum_over(row, size, kSquare);
}

/// `sum` of every row, as doubles.
template <class Sum>
at::Tensor sums_of_rows(const at::Tensor& rows, Sum sum) {
  const at::Tensor values = rows.contiguous();
  at::Tensor sums = at::empty({values.size(0)}, at::kDouble);
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "sums_of_rows", [&] {
    const auto* row = values.data_ptr<scalar_t>();
    for (std::int64_t i = 0; i < values.size(0); ++i, row += values.size(1))
      sums.data_ptr<double>()[i] = sum(row, values.size(1));
  });
  return sums;
}

/// |a - b|^2 = |a|^2 + |b|^2 - 2ab through one matrix product a block of rows, the upper triangle only.
class Distances {
 public:
  explicit Distances(const at::Tensor& rows)
      : rows_(rows.to(at::kDouble).contiguous()),
        norms_(square_sums(rows_)),
        sums_(static_cast<std::size_t>(rows.size(0)), 0.0),
        twins_(sums_.size()) {
    std::iota(twins_.begin(), twins_.end(), std::int64_t{0});
  }

  at::Tensor sums() {
    const std::int64_t filters = rows_.size(0);
    for (std::int64_t begin = 0; begin < filters; begin += kBlock) {
      const std::int64_t size = std::min(kBlock, filters - begin);
      add_block(begin, at::mm(rows_.narrow(0, begin, size), rows_.narrow(0, begin, filters - begin).t()));
    }
    at::Tensor result = at::empty({filters}, at::kDouble);
    for (std::int64_t i = 0; i < filters; ++i) result.data_ptr<double>()[i] = sums_[at(twins_[at(i)])];
    return result;
  }

 private:
  static constexpr std::int64_t kBlock = 128;
  /// Below this share of |a|^2 + |b|^2 too many digits have cancelled.
  static constexpr double kCancelled = 1e-5;

  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

  /// `products` are those of the rows from `begin` with all rows from there on.
  void add_block(std::int64_t begin, const at::Tensor& products) {
    const double* norms = norms_.data_ptr<double>();
    for (std::int64_t i = begin; i < begin + products.size(0); ++i) {
      const double* product = products.data_ptr<double>() + (i - begin) * products.size(1) - begin;
      for (std::int64_t j = i + 1; j < rows_.size(0); ++j) {
        const double both = norms[i] + norms[j];
        double square = both - 2 * product[j];
        if (square <= kCancelled * both) square = exact_square(i, j);
        const double distance = std::sqrt(square);
        sums_[at(i)] += distance;
        sums_[at(j)] += distance;
        if (distance == 0) twins_[at(j)] = std::min(twins_[at(j)], twins_[at(i)]);
      }
    }
  }

  [[nodiscard]] double exact_square(std::int64_t i, std::int64_t j) const {
    const double* a = rows_.data_ptr<double>() + i * rows_.size(1);
    const double* b = rows_.data_ptr<double>() + j * rows_.size(1);
    double square = 0;
    for (std::int64_t k = 0; k < rows_.size(1); ++k) square += (a[k] - b[k]) * (a[k] - b[k]);
    return square;
  }

  at::Tensor rows_;
  at::Tensor norms_;
  std::vector<double> sums_;
  std::vector<std::int64_t> twins_;  ///< the first row that is equal to each
};

}  // namespace

at::Tensor l1_norms(const at::Tensor& rows) {
  return sums_of_rows(rows, [](const auto* row, std::int64_t size) { return sum_of_magnitudes(row, size); });
}

at::Tensor square_sums(const at::Tensor& rows) {
  return sums_of_rows(rows, [](const auto* row, std::int64_t size) { return sum_of_squares(row, size); });
}

at::Tensor l2_norms(const at::Tensor& rows) {
  return square_sums(rows).sqrt_();
}

at::Tensor distance_sums(const at::Tensor& rows) {
  return Distances(rows).sums();
}

}  // namespace lathe::compression

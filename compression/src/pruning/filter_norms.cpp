#include "pruning/filter_norms.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include "pruning/lanes.hpp"

namespace lathe::compression {
namespace {

/// Two lanes of doubles from as many numbers of either kind.
template <class T>
Lanes<double> load_doubles(const T* from) {
  return Lanes<double>{static_cast<double>(from[0]), static_cast<double>(from[1])};
}

Lanes<double> magnitudes(const Lanes<double>& lanes) {
  return std::bit_cast<Lanes<double>>(std::bit_cast<Lanes<std::int64_t>>(lanes) & kMagnitudeBits<double>);
}

/// Sum of `term` over a row, in double: eight running sums, because one would wait for itself.
template <class T, class Term>
double sum_over(const T* row, std::int64_t size, Term term) {
  constexpr std::int64_t block = 8;
  Lanes<double> sums[4]{};
  std::int64_t i = 0;
  for (; i + block <= size; i += block)
    for (std::int64_t j = 0; j < 4; ++j) sums[j] += term(load_doubles(row + i + 2 * j));
  const Lanes<double> total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double rest = 0;
  for (; i < size; ++i) rest += term(Lanes<double>{static_cast<double>(row[i]), 0})[0];
  return total[0] + total[1] + rest;
}

template <class Term>
at::Tensor sums_of_rows(const at::Tensor& rows, Term term) {
  const at::Tensor values = rows.contiguous();
  at::Tensor sums = at::empty({values.size(0)}, at::kDouble);
  auto* sum = sums.data_ptr<double>();
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "sums_of_rows", [&] {
    const auto* row = values.data_ptr<scalar_t>();
    for (std::int64_t i = 0; i < values.size(0); ++i, row += values.size(1))
      sum[i] = sum_over(row, values.size(1), term);
  });
  return sums;
}

Lanes<double> squares(const Lanes<double>& lanes) {
  return lanes * lanes;
}

/// |a - b|^2 = |a|^2 + |b|^2 - 2ab through one matrix product a block of rows, the upper triangle only.
class Distances {
 public:
  explicit Distances(const at::Tensor& rows)
      : rows_(rows.to(at::kDouble).contiguous()),
        norms_(sums_of_rows(rows_, squares)),
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
  return sums_of_rows(rows, magnitudes);
}

at::Tensor l2_norms(const at::Tensor& rows) {
  return sums_of_rows(rows, squares).sqrt_();
}

at::Tensor distance_sums(const at::Tensor& rows) {
  return Distances(rows).sums();
}

}  // namespace lathe::compression

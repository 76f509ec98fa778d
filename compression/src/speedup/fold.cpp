#include "speedup/fold.hpp"

#include <numeric>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace lathe::compression {
namespace {

struct Constant {
  std::int64_t column = 0;  ///< within the group
  double value = 0;
};

/// By group, the channels that are gone.
std::vector<std::vector<Constant>> constants_of(const Fold& fold) {
  const auto groups = static_cast<std::size_t>(fold.mixing.groups);
  const std::size_t size = fold.constant.size() / groups;
  std::vector<std::vector<Constant>> constants(groups);
  for (std::size_t i = 0; i < fold.constant.size(); ++i)
    if (fold.constant[i] != 0) constants[i / size].push_back({static_cast<std::int64_t>(i % size), fold.constant[i]});
  return constants;
}

/// One output's: `row` is [columns, taps].
template <class T>
double sum_of_row(const T* row, std::int64_t taps, const std::vector<Constant>& constants) {
  double sum = 0;
  for (const Constant& constant : constants) {
    double weights = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap) weights += static_cast<double>(row[constant.column * taps + tap]);
    sum += constant.value * weights;
  }
  return sum;
}

/// Outputs on the first axis, contiguous, on the CPU: read where they lie.
at::Tensor sums_of_rows(const Fold& fold, const at::Tensor& weight, const std::vector<std::int64_t>& rows) {
  const auto constants = constants_of(fold);
  const std::int64_t in_group = weight.size(0) / fold.mixing.groups;
  const std::int64_t row_size = weight.numel() / weight.size(0);
  const std::int64_t taps = row_size / weight.size(1);
  at::Tensor sums = at::zeros({weight.size(0)}, at::kDouble);
  auto* sum = sums.data_ptr<double>();
  constexpr std::int64_t kGrain = 16;
  AT_DISPATCH_FLOATING_TYPES(weight.scalar_type(), "sums_of_rows", [&] {
    const auto* values = weight.data_ptr<scalar_t>();
    at::parallel_for(0, static_cast<std::int64_t>(rows.size()), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = rows[static_cast<std::size_t>(i)];
        sum[row] = sum_of_row(values + row * row_size, taps, constants[static_cast<std::size_t>(row / in_group)]);
      }
    });
  });
  return sums;
}

/// Any other weight, in tensors.
at::Tensor sums_of_any(const Fold& fold, const at::Tensor& weight) {
  at::Tensor matrix = weight.to(at::kDouble).movedim({fold.mixing.out.axis, fold.mixing.in.axis}, {0, 1});
  if (matrix.dim() > 2) matrix = matrix.flatten(2).sum(2);
  const at::Tensor constant = at::tensor(fold.constant, at::kDouble).to(matrix.device());
  if (fold.mixing.groups == 1) return matrix.matmul(constant);
  const std::int64_t groups = fold.mixing.groups;
  return matrix.reshape({groups, -1, matrix.size(1)}).bmm(constant.view({groups, -1, 1})).flatten();
}

}  // namespace

at::Tensor folded_constants(const Fold& fold, const at::Tensor& weight, const std::vector<std::int64_t>* rows) {
  const at::Tensor source = weight.detach();
  const bool is_plain = source.is_cpu() && source.is_contiguous() &&
                        (source.scalar_type() == at::kFloat || source.scalar_type() == at::kDouble);
  if (!is_plain || fold.mixing.out.axis != 0 || fold.mixing.in.axis != 1) return sums_of_any(fold, source);
  if (rows) return sums_of_rows(fold, source, *rows);
  std::vector<std::int64_t> all(static_cast<std::size_t>(source.size(0)));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return sums_of_rows(fold, source, all);
}

}  // namespace lathe::compression

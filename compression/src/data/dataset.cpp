#include <lathe/compression/dataset.hpp>

#include <numeric>
#include <random>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace lathe::compression {
namespace {

/// Per-channel values laid along dimension 1 of a batch of `dimensions` dimensions.
at::Tensor per_channel(const std::vector<double>& values, std::int64_t dimensions) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions), 1);
  shape[1] = static_cast<std::int64_t>(values.size());
  return at::tensor(values, at::kDouble).view(shape);
}

Result<void> check_normalization(const at::Tensor& inputs, const Normalization& normalization) {
  const std::size_t channels = normalization.mean.size();
  if (normalization.std.size() != channels) {
    return fail(fmt::format("normalisation has {} means and {} standard deviations; expected as many", channels,
                            normalization.std.size()));
  }
  if (channels == 0) return {};
  const std::int64_t found = inputs.dim() > 1 ? inputs.size(1) : 0;
  if (channels != 1 && static_cast<std::int64_t>(channels) != found) {
    return fail(fmt::format("normalisation has values for {} channels; the data has {}", channels, found));
  }
  return {};
}

/// Unbiased integer in [0, bound), from raw 64-bit draws (the standard's distributions differ between libraries).
std::uint64_t draw_below(std::uint64_t bound, std::mt19937_64& engine) {
  const std::uint64_t surplus = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t draw = engine();
    if (draw >= surplus) return draw % bound;
  }
}

}  // namespace

Result<Dataset> Dataset::create(at::Tensor inputs, at::Tensor targets, const Normalization& normalization) {
  if (inputs.dim() < 2) return fail("inputs need at least two dimensions, [N, …]");
  if (targets.dim() < 1) return fail("targets need at least one dimension, [N]");
  if (inputs.size(0) != targets.size(0)) {
    return fail(fmt::format("{} inputs and {} targets; expected as many", inputs.size(0), targets.size(0)));
  }
  if (inputs.numel() == 0 || targets.numel() == 0) return fail("there is no record");
  if (auto fits = check_normalization(inputs, normalization); !fits) return tl::unexpected(fits.error());
  if (targets.min().item<std::int64_t>() < 0) {
    return fail(fmt::format("target {} is negative; expected class indices", targets.min().item<std::int64_t>()));
  }
  Dataset dataset(inputs.contiguous(), targets.contiguous());
  const double unit = inputs.scalar_type() == at::kByte ? 1.0 / 255 : 1.0;
  const bool normalized = !normalization.mean.empty();
  const at::Tensor mean = normalized ? per_channel(normalization.mean, inputs.dim()) : at::zeros({}, at::kDouble);
  const at::Tensor std = normalized ? per_channel(normalization.std, inputs.dim()) : at::ones({}, at::kDouble);
  if (normalized || unit != 1.0) {
    dataset.scale_ = (unit / std).to(at::kFloat);
    dataset.shift_ = (-mean / std).to(at::kFloat);
  }
  return dataset;
}

Shape Dataset::record_shape() const {
  return inputs_.sizes().slice(1).vec();
}

std::int64_t Dataset::largest_target() const {
  return targets_.max().item<std::int64_t>();
}

Batch Dataset::slice(std::int64_t begin, std::int64_t end) const {
  return {decode(inputs_.narrow(0, begin, end - begin)), targets_.narrow(0, begin, end - begin)};
}

Batch Dataset::pick(const at::Tensor& indices) const {
  return {decode(inputs_.index_select(0, indices)), targets_.index_select(0, indices)};
}

at::Tensor Dataset::decode(const at::Tensor& inputs) const {
  at::Tensor decoded = inputs.to(at::kFloat);
  return scale_.defined() ? decoded * scale_ + shift_ : decoded;
}

at::Tensor shuffled_indices(std::int64_t n, std::uint64_t seed) {
  at::Tensor indices = at::arange(n, at::kLong);
  std::int64_t* index = indices.data_ptr<std::int64_t>();
  std::mt19937_64 engine(seed);
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto other = static_cast<std::int64_t>(draw_below(static_cast<std::uint64_t>(i) + 1, engine));
    std::swap(index[i], index[other]);
  }
  return indices;
}

}  // namespace lathe::compression

#include <lathe/compression/dataset.hpp>

#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "data/random.hpp"
#include "data/record_reader.hpp"
#include "data/tensor_source.hpp"

namespace lathe::compression {
namespace {

constexpr std::size_t kImageDimensions = 3;

Result<void> check_normalization(const Shape& record, const Normalization& normalization) {
  const std::size_t channels = normalization.mean.size();
  if (normalization.std.size() != channels) {
    return fail(fmt::format("normalisation has {} means and {} standard deviations; expected as many", channels,
                            normalization.std.size()));
  }
  if (channels == 0) return {};
  if (channels != 1 && static_cast<std::int64_t>(channels) != record.front()) {
    return fail(fmt::format("normalisation has values for {} channels; the data has {}", channels, record.front()));
  }
  return {};
}

Result<void> check_targets(const at::Tensor& targets) {
  if (targets.is_floating_point()) {
    if (!at::isfinite(targets).all().item<bool>()) return fail("targets hold NaN or infinite values");
    return {};
  }
  const auto smallest = targets.min().item<std::int64_t>();
  if (smallest < 0) return fail(fmt::format("target {} is negative; expected class indices", smallest));
  return {};
}

/// Every record contiguous, whatever the distance between two.
bool has_contiguous_records(const at::Tensor& inputs) {
  return inputs.size(0) > 0 && inputs.select(0, 0).is_contiguous();
}

std::int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// What happens to one record of an epoch.
struct Draw {
  std::int64_t top = 0;
  std::int64_t left = 0;
  bool mirrored = false;
};

/// The draws of a record do not depend on those of others, nor on which changes are asked for.
Draw draw_of(const AugmentationDraw& draw, std::int64_t record, std::int64_t tops, std::int64_t lefts) {
  SplitMix random(mixed(mixed(draw.seed) ^ static_cast<std::uint64_t>(draw.epoch)) ^
                  mixed(static_cast<std::uint64_t>(record)));
  const bool mirrored = (random() >> 63) != 0;
  const auto top = static_cast<std::int64_t>(draw_below(static_cast<std::uint64_t>(tops), random));
  const auto left = static_cast<std::int64_t>(draw_below(static_cast<std::uint64_t>(lefts), random));
  return {top, left, mirrored};
}

/// Rows of a contiguous tensor. LibTorch's own index_select may call in threads, which a reader beside a training must
/// not.
at::Tensor targets_of(const at::Tensor& targets, c10::ArrayRef<std::int64_t> indices) {
  Shape shape = targets.sizes().vec();
  shape.front() = static_cast<std::int64_t>(indices.size());
  at::Tensor chosen = at::empty(shape, targets.scalar_type());
  const auto row = static_cast<std::size_t>(targets.stride(0)) * targets.element_size();
  const auto* from = static_cast<const std::uint8_t*>(targets.data_ptr());
  auto* to = static_cast<std::uint8_t*>(chosen.data_ptr());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::memcpy(to + i * row, from + static_cast<std::size_t>(indices[i]) * row, row);
  }
  return chosen;
}

/// Where in an image the part lies that is read.
Result<Window> window_of(const StoredRecord& image, const ImageSize& size, const Augmentation& augmentation,
                         const std::optional<AugmentationDraw>& draw, std::int64_t index) {
  const std::int64_t padding = draw && augmentation.random_crop ? augmentation.padding : 0;
  const std::int64_t spare_height = image.height + 2 * padding - size.height;
  const std::int64_t spare_width = image.width + 2 * padding - size.width;
  if (spare_height < 0 || spare_width < 0) {
    return fail(fmt::format("{} x {} pixels are too few to cut {} x {} from", image.height, image.width, size.height,
                            size.width));
  }
  Window window = centre_window(image.height, image.width, size.height, size.width);
  if (!draw) return window;
  const Draw drawn = draw_of(*draw, index, spare_height + 1, spare_width + 1);
  if (augmentation.random_crop) {
    window.top = drawn.top - padding;
    window.left = drawn.left - padding;
  }
  window.mirrored = augmentation.horizontal_flip && drawn.mirrored;
  return window;
}

}  // namespace

Result<Dataset> Dataset::create(at::Tensor inputs, at::Tensor targets, const Normalization& normalization) {
  if (inputs.dim() < 2) return fail("inputs need at least two dimensions, [N, …]");
  if (inputs.numel() == 0) return fail("there is no record");
  if (!inputs.device().is_cpu() || inputs.layout() != at::kStrided) return fail("inputs need to be dense, on the CPU");
  if (!is_readable(inputs.scalar_type())) {
    return fail(fmt::format("inputs are of type {}; expected bytes or other real numbers",
                            c10::toString(inputs.scalar_type())));
  }
  if (!has_contiguous_records(inputs)) inputs = inputs.contiguous();
  return create(std::make_shared<TensorSource>(std::vector{std::move(inputs)}), std::move(targets), normalization);
}

Result<Dataset> Dataset::create(std::shared_ptr<const RecordSource> inputs, at::Tensor targets,
                                const Normalization& normalization) {
  if (targets.dim() < 1) return fail("targets need at least one dimension, [N]");
  if (inputs->size() != targets.size(0)) {
    return fail(fmt::format("{} inputs and {} targets; expected as many", inputs->size(), targets.size(0)));
  }
  if (targets.numel() == 0) return fail("there is no record");
  if (auto fits = check_normalization(inputs->shape(), normalization); !fits) return tl::unexpected(fits.error());
  if (auto sound = check_targets(targets); !sound) return tl::unexpected(sound.error());
  Dataset dataset;
  dataset.targets_ = targets.to(targets.is_floating_point() ? at::kFloat : at::kLong).contiguous();
  dataset.inputs_ = std::move(inputs);
  dataset.set_scale(normalization);
  return dataset;
}

void Dataset::set_scale(const Normalization& normalization) {
  const double unit = inputs_->type() == at::kByte ? 1.0 / 255 : 1.0;
  scale_ = {static_cast<float>(unit)};
  shift_ = {0};
  if (normalization.mean.empty()) return;
  scale_.clear();
  shift_.clear();
  for (std::size_t channel = 0; channel < normalization.mean.size(); ++channel) {
    scale_.push_back(static_cast<float>(unit / normalization.std[channel]));
    shift_.push_back(static_cast<float>(-normalization.mean[channel] / normalization.std[channel]));
  }
}

Result<Dataset> Dataset::cropped(const ImageSize& size) const {
  const Shape shape = inputs_->shape();
  if (shape.size() != kImageDimensions) {
    return fail(fmt::format("records of {} dimensions cannot be cropped; expected images [C, H, W]", shape.size()));
  }
  const bool known = shape[1] > 0;
  if (known && (shape[1] < size.height || shape[2] < size.width)) {
    return fail(fmt::format("images of {} x {} pixels are smaller than the crop, {} x {}", shape[1], shape[2],
                            size.height, size.width));
  }
  Dataset result = *this;
  result.crop_ = size;
  return result;
}

Result<Dataset> Dataset::augmented(const Augmentation& augmentation) const {
  const Shape shape = inputs_->shape();
  if (shape.size() != kImageDimensions) {
    return fail(fmt::format("records of {} dimensions cannot be augmented; expected images [C, H, W]", shape.size()));
  }
  Dataset result = *this;
  result.augmentation_ = augmentation;
  return result;
}

std::int64_t Dataset::size() const {
  return inputs_->size();
}

Shape Dataset::record_shape() const {
  Shape shape = inputs_->shape();
  if (crop_) shape = {shape.front(), crop_->height, crop_->width};
  return shape;
}

bool Dataset::has_classes() const {
  return !targets_.is_floating_point();
}

std::int64_t Dataset::largest_target() const {
  return has_classes() ? targets_.max().item<std::int64_t>() : 0;
}

bool Dataset::takes_work() const {
  return inputs_->takes_work() || augmentation_.random_crop || augmentation_.horizontal_flip;
}

Result<Batch> Dataset::read(c10::ArrayRef<std::int64_t> indices, const std::optional<AugmentationDraw>& draw) const {
  const Shape shape = record_shape();
  const std::int64_t size = elements(shape);
  const bool is_image = shape.size() == kImageDimensions;
  Shape batch_shape = shape;
  batch_shape.insert(batch_shape.begin(), static_cast<std::int64_t>(indices.size()));
  at::Tensor inputs = at::empty(batch_shape, at::kFloat);
  auto* out = inputs.data_ptr<float>();
  std::vector<std::uint8_t> scratch;
  StoredRecord stored{nullptr, inputs_->type(), shape.front(), 1, size / shape.front()};
  Window whole{0, 0, 1, stored.width};
  for (const std::int64_t index : indices) {
    const auto record = inputs_->record(index, scratch);
    if (!record) return tl::unexpected(record.error());
    stored.values = record->values;
    Window window = whole;
    if (is_image) {
      stored.height = record->height > 0 ? record->height : inputs_->shape()[1];
      stored.width = record->height > 0 ? record->width : inputs_->shape()[2];
      const auto part = window_of(stored, {shape[1], shape[2]}, augmentation_, draw, index);
      if (!part) return fail(fmt::format("{}: {}", inputs_->name_of(index), part.error().message));
      window = *part;
    }
    read_record(stored, window, {scale_, shift_}, out);
    out += size;
  }
  return Batch{inputs, targets_of(targets_, indices)};
}

Batch Dataset::slice(std::int64_t begin, std::int64_t end) const {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  auto batch = read(indices, std::nullopt);
  if (!batch) throw std::runtime_error(batch.error().message);
  return std::move(*batch);
}

Batch Dataset::pick(const at::Tensor& indices) const {
  const at::Tensor rows = indices.contiguous();
  auto batch = read({rows.data_ptr<std::int64_t>(), static_cast<std::size_t>(rows.numel())}, std::nullopt);
  if (!batch) throw std::runtime_error(batch.error().message);
  return std::move(*batch);
}

at::Tensor shuffled_indices(std::int64_t n, std::uint64_t seed) {
  at::Tensor indices = at::arange(n, at::kLong);
  auto* index = indices.data_ptr<std::int64_t>();
  std::mt19937_64 engine(seed);
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto other = static_cast<std::int64_t>(draw_below(static_cast<std::uint64_t>(i) + 1, engine));
    std::swap(index[i], index[other]);
  }
  return indices;
}

}  // namespace lathe::compression

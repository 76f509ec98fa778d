#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <ATen/ATen.h>

#include "quantization/histogram.hpp"
#include "quantization/quantizers.hpp"

namespace lathe::compression {
namespace {

constexpr QuantLevels kWeightLevels{-128, 127};
constexpr QuantLevels kActivationLevels{0, 127};  // one bit less, so that 16-bit sums of products cannot overflow
constexpr float kSmallestScale = std::numeric_limits<float>::epsilon();

/// The values at the ends of the levels.
void describe_grid(const TensorSite& site, const QuantGrid& grid, nlohmann::ordered_json& fields) {
  std::vector<float> min;
  std::vector<float> max;
  for (std::size_t i = 0; i < grid.scale.size(); ++i) {
    min.push_back(grid.scale[i] * static_cast<float>(grid.levels.min - grid.zero_point[i]));
    max.push_back(grid.scale[i] * static_cast<float>(grid.levels.max - grid.zero_point[i]));
  }
  fields["tracked_min_" + site.kind()] = number_or_list(min);
  fields["tracked_max_" + site.kind()] = number_or_list(max);
  fields["tracked_qmin_" + site.kind()] = grid.levels.min;
  fields["tracked_qmax_" + site.kind()] = grid.levels.max;
}

class ObservedWeight final : public TensorQuantizer {
 public:
  ObservedWeight(TensorSite site, SharedProgress progress, ObserverKind kind, at::Tensor weight)
      : TensorQuantizer(std::move(site), std::move(progress)), kind_(kind), weight_(std::move(weight)) {}

  at::Tensor pass(const at::Tensor& weight) override {
    return progress().calibrating ? weight : fake_quantize(weight, grid_of(weight));
  }

  [[nodiscard]] std::optional<QuantGrid> grid() const override { return grid_of(weight_); }

  void describe(nlohmann::ordered_json& fields) const override {
    fields["weight_bits"] = 8;
    describe_grid(site(), grid_of(weight_), fields);
  }

 private:
  [[nodiscard]] QuantGrid grid_of(const at::Tensor& weight) const {
    constexpr float half = 127.5F;
    const auto axis = kind_ == ObserverKind::PerChannel ? site().channel_axis : std::nullopt;
    QuantGrid grid{{}, {}, kWeightLevels, axis.value_or(0)};
    for (const ValueRange& range : finite_ranges(weight.detach(), axis)) {
      grid.scale.push_back(std::max(std::max(-range.min, range.max) / half, kSmallestScale));
      grid.zero_point.push_back(0);
    }
    return grid;
  }

  ObserverKind kind_;
  at::Tensor weight_;
};

class ObservedActivation final : public TensorQuantizer {
 public:
  ObservedActivation(TensorSite site, SharedProgress progress, ObserverKind kind)
      : TensorQuantizer(std::move(site), std::move(progress)), kind_(kind) {}

  at::Tensor pass(const at::Tensor& tensor) override {
    if (!progress().calibrating) return grid_ ? fake_quantize(tensor, *grid_) : tensor;
    const at::Tensor values = tensor.detach();
    const ValueRange range = finite_ranges(values).front();
    if (values.numel() == 0) return tensor;
    if (kind_ != ObserverKind::MinMax) histogram_.add(values, range);
    extremes_ = {extremes_ ? std::min(extremes_->min, range.min) : range.min,
                 extremes_ ? std::max(extremes_->max, range.max) : range.max};
    return tensor;
  }

  void freeze() override {
    if (!extremes_) return;
    const ValueRange found = histogram_.empty() ? *extremes_ : histogram_.best_range();
    const double min = std::min(found.min, 0.0F);
    const double max = std::max(found.max, 0.0F);
    const auto steps = static_cast<double>(kActivationLevels.max);
    const float scale = std::max(static_cast<float>((max - min) / steps), kSmallestScale);
    const double zero_point = -std::rint(static_cast<float>(min) / scale);
    grid_ = QuantGrid{{scale}, {static_cast<std::int64_t>(std::clamp(zero_point, 0.0, steps))}, kActivationLevels, 0};
  }

  [[nodiscard]] bool ready() const override { return grid_.has_value(); }
  [[nodiscard]] std::optional<QuantGrid> grid() const override { return grid_; }

  void describe(nlohmann::ordered_json& fields) const override {
    fields[field("", "_bits")] = 8;
    if (grid_) describe_grid(site(), *grid_, fields);
  }

 private:
  ObserverKind kind_;
  std::optional<ValueRange> extremes_;
  Histogram histogram_;
  std::optional<QuantGrid> grid_;
};

}  // namespace

TensorQuantizerPointer observed_weight(TensorSite site, SharedProgress progress, ObserverKind kind,
                                       const at::Tensor& weight) {
  return std::make_shared<ObservedWeight>(std::move(site), std::move(progress), kind, weight);
}

TensorQuantizerPointer observed_activation(TensorSite site, SharedProgress progress, ObserverKind kind) {
  return std::make_shared<ObservedActivation>(std::move(site), std::move(progress), kind);
}

}  // namespace lathe::compression

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "quantization/quantizers.hpp"

namespace lathe::compression {
namespace {

/// Folded, a filter is quantized as the engine sees it: times the batch normalisation's factor. Divided by it again it
/// goes into the model's own convolution, whose normalisation then gives what the folded one would.
class FoldedWeight {
 public:
  FoldedWeight(const at::Tensor& weight, const BatchNormStatistics& statistics) : weight_(weight) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
    shape[0] = -1;
    factor_ = statistics.factor().view(shape);
    off_ = factor_.abs().lt(kSmallest);
    factor_.masked_fill_(off_, 0);
  }

  [[nodiscard]] at::Tensor folded() const { return weight_ * factor_; }

  [[nodiscard]] at::Tensor unfold(const at::Tensor& quantized) const {
    if (!off_.any().item<bool>()) return quantized * factor_.reciprocal();
    // A filter that the normalisation switches off says nothing in eval mode; in training it goes on as it is, so that
    // the normalisation can switch it on again.
    return at::where(off_, weight_, quantized * factor_.masked_fill(off_, 1).reciprocal());
  }

 private:
  static constexpr double kSmallest = 1e-20;  // its reciprocal is still far from overflow

  at::Tensor weight_;
  at::Tensor factor_;  ///< shaped to be multiplied with the weight
  at::Tensor off_;
};

class QatWeight final : public TensorQuantizer {
 public:
  QatWeight(TensorSite site, SharedProgress progress, const QuantSpec& spec, std::int64_t start_step, at::Tensor weight,
            const FoldablePair* fold)
      : TensorQuantizer(std::move(site), std::move(progress)),
        spec_(spec),
        start_step_(start_step),
        weight_(std::move(weight)) {
    if (fold != nullptr) fold_ = fold->statistics;
  }

  at::Tensor pass(const at::Tensor& weight) override {
    if (progress().calibrating || progress().before(start_step_)) return weight;
    if (!fold_) return fake_quantize(weight, grid_of(weight));
    const FoldedWeight folding(weight, *fold_);
    const at::Tensor folded = folding.folded();
    return folding.unfold(fake_quantize(folded, grid_of(folded)));
  }

  [[nodiscard]] std::optional<QuantGrid> grid() const override {
    const at::Tensor weight = weight_.detach();
    return grid_of(fold_ ? FoldedWeight(weight, *fold_).folded() : weight);
  }

  void describe(nlohmann::ordered_json& fields) const override {
    const QuantGrid used = *grid();
    fields["weight_bits"] = spec_.bits;
    fields["weight_scale"] = number_or_list(used.scale);
    fields["weight_zero_point"] = number_or_list(used.zero_point);
  }

 private:
  [[nodiscard]] QuantGrid grid_of(const at::Tensor& weight) const {
    const auto axis = per_channel(spec_.scheme) ? site().channel_axis : std::nullopt;
    return quant_grid(finite_ranges(weight.detach(), axis), spec_, axis.value_or(0));
  }

  QuantSpec spec_;
  std::int64_t start_step_;
  at::Tensor weight_;
  std::optional<BatchNormStatistics> fold_;
};

class QatActivation final : public TensorQuantizer {
 public:
  QatActivation(TensorSite site, SharedProgress progress, const QuantSpec& spec, std::int64_t start_step)
      : TensorQuantizer(std::move(site), std::move(progress)), spec_(spec), start_step_(start_step) {}

  at::Tensor pass(const at::Tensor& tensor) override {
    if (progress().calibrating) {
      widen(ranges_of(tensor));
      return tensor;
    }
    if (progress().training()) track(ranges_of(tensor));
    if (tracked_.empty() || progress().before(start_step_)) return tensor;
    return fake_quantize(tensor, quant_grid(tracked_, spec_, 1));
  }

  [[nodiscard]] bool ready() const override { return !tracked_.empty(); }
  [[nodiscard]] std::function<void()> remember() override {
    return [this, tracked = tracked_] { tracked_ = tracked; };
  }

  [[nodiscard]] std::optional<QuantGrid> grid() const override {
    if (tracked_.empty()) return std::nullopt;
    return quant_grid(tracked_, spec_, 1);
  }

  void describe(nlohmann::ordered_json& fields) const override {
    fields[field("", "_bits")] = spec_.bits;
    if (tracked_.empty()) return;
    std::vector<float> min;
    std::vector<float> max;
    for (const ValueRange& range : tracked_) {
      min.push_back(range.min);
      max.push_back(range.max);
    }
    fields[field("tracked_min_", "")] = number_or_list(min);
    fields[field("tracked_max_", "")] = number_or_list(max);
  }

 private:
  [[nodiscard]] std::vector<ValueRange> ranges_of(const at::Tensor& tensor) const {
    const auto axis = per_channel(spec_.scheme) ? activation_axis(site(), tensor) : std::nullopt;
    auto ranges = finite_ranges(tensor.detach(), axis);
    if (!tracked_.empty() && tracked_.size() != ranges.size()) {
      throw std::runtime_error(
          fmt::format("{} has {} channels after {}; per-channel quantization needs the same number "
                      "at every call",
                      site().text(), ranges.size(), tracked_.size()));
    }
    return ranges;
  }

  /// NNI's order: the first step sets the range before it averages.
  void track(const std::vector<ValueRange>& current) {
    constexpr float decay = 0.99F;
    constexpr auto rest = static_cast<float>(1 - 0.99);
    if (tracked_.empty() || progress().steps == 1) tracked_ = current;
    for (std::size_t i = 0; i < tracked_.size(); ++i) {
      tracked_[i].min = tracked_[i].min * decay + rest * current[i].min;
      tracked_[i].max = tracked_[i].max * decay + rest * current[i].max;
    }
  }

  void widen(const std::vector<ValueRange>& current) {
    if (tracked_.empty()) tracked_ = current;
    for (std::size_t i = 0; i < tracked_.size(); ++i) {
      tracked_[i].min = std::min(tracked_[i].min, current[i].min);
      tracked_[i].max = std::max(tracked_[i].max, current[i].max);
    }
  }

  QuantSpec spec_;
  std::int64_t start_step_;
  std::vector<ValueRange> tracked_;  ///< empty: nothing seen yet
};

}  // namespace

TensorQuantizerPointer qat_weight(TensorSite site, SharedProgress progress, const QuantSpec& spec,
                                  std::int64_t start_step, const at::Tensor& weight, const FoldablePair* fold) {
  return std::make_shared<QatWeight>(std::move(site), std::move(progress), spec, start_step, weight, fold);
}

TensorQuantizerPointer qat_activation(TensorSite site, SharedProgress progress, const QuantSpec& spec,
                                      std::int64_t start_step) {
  return std::make_shared<QatActivation>(std::move(site), std::move(progress), spec, start_step);
}

}  // namespace lathe::compression

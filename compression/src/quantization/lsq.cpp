#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "quantization/by_operators.hpp"
#include "quantization/kernels.hpp"
#include "quantization/quantizers.hpp"

namespace lathe::compression {
namespace {

constexpr std::int64_t kChunk = 32768;  // of the sum, so that it does not depend on the number of threads

QuantLevels signed_levels(int bits) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  return {-half, half - 1};
}

/// The scale's own damping (section 2.2 of the paper).
double gradient_scale(const QuantLevels& levels, std::int64_t elements) {
  return 1 / std::sqrt(static_cast<double>(levels.max) * static_cast<double>(elements));
}

class LearntScale : public torch::autograd::Function<LearntScale> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& tensor,
                            const at::Tensor& scale, const QuantLevels& levels) {
    context->save_for_backward({tensor, scale});
    context->saved_data["min"] = levels.min;
    context->saved_data["max"] = levels.max;
    return fake_quantize(tensor, {{scale.item<float>()}, {0}, levels, 0});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const QuantLevels levels{context->saved_data["min"].toInt(), context->saved_data["max"].toInt()};
    const double damping = gradient_scale(levels, saved[0].numel());
    if (!saved[0].is_cpu()) {
      const auto found = by_operators::learnt_scale_backward(saved[0], gradients[0], saved[1].item<float>(), levels);
      return {found.tensor, at::full_like(saved[1], found.scale * damping), at::Tensor()};
    }
    const at::Tensor x = saved[0].contiguous();
    const at::Tensor gradient = gradients[0].contiguous();
    at::Tensor x_gradient = at::empty_like(x);
    const double sum = reduce(x, gradient, x_gradient, saved[1].item<float>(), levels);
    return {x_gradient, at::full_like(saved[1], sum * damping), at::Tensor()};
  }

 private:
  static double reduce(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& x_gradient, float scale,
                       const QuantLevels& levels) {
    const std::int64_t n = x.numel();
    std::vector<double> sums(static_cast<std::size_t>((n + kChunk - 1) / kChunk));
    const auto* values = x.data_ptr<float>();
    const auto* from = gradient.data_ptr<float>();
    auto* to = x_gradient.data_ptr<float>();
    at::parallel_for(0, static_cast<std::int64_t>(sums.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t chunk = begin; chunk < end; ++chunk) {
        const std::int64_t at = chunk * kChunk;
        sums[static_cast<std::size_t>(chunk)] =
            kernels::learnt_scale_backward(values + at, from + at, to + at, std::min(kChunk, n - at), scale,
                                           static_cast<float>(levels.min), static_cast<float>(levels.max));
      }
    });
    double sum = 0;
    for (const double part : sums) sum += part;
    return sum;
  }
};

class LearntScaleQuantizer final : public TensorQuantizer {
 public:
  LearntScaleQuantizer(TensorSite site, SharedProgress progress, int bits, const at::Tensor& weight)
      : TensorQuantizer(std::move(site), std::move(progress)),
        bits_(bits),
        levels_(signed_levels(bits)),
        scale_(at::ones({}).set_requires_grad(true)) {
    if (weight.defined()) start(weight.detach());
  }

  at::Tensor pass(const at::Tensor& tensor) override {
    require_float(tensor);
    if (site().place == TapPlace::Weight) (void)finite_ranges(tensor.detach());
    const bool may_start = progress().calibrating || progress().training();
    if (last_ == 0 && may_start) start(tensor.detach());
    if (progress().calibrating || last_ == 0) return tensor;
    return LearntScale::apply(tensor, scale_, levels_);
  }

  /// A step that would make the scale zero or negative halves it instead.
  void after_step() override {
    if (last_ == 0) return;
    const float now = scale_.item<float>();
    last_ = now > 0 ? now : last_ / 2;
    if (last_ != now) scale_.detach().fill_(last_);
  }

  [[nodiscard]] bool ready() const override { return seen_; }
  [[nodiscard]] at::Tensor learnt() const override { return scale_; }
  [[nodiscard]] std::function<void()> remember() override {
    return [this, last = last_] { last_ = last; };
  }

  [[nodiscard]] std::optional<QuantGrid> grid() const override {
    if (last_ == 0) return std::nullopt;
    return QuantGrid{{last_}, {0}, levels_, 0};
  }

  void describe(nlohmann::ordered_json& fields) const override {
    fields[field("", "_bits")] = bits_;
    if (last_ == 0) return;
    const float scale = scale_.item<float>();
    if (site().place == TapPlace::Weight) {
      fields["weight_scale"] = scale;
      fields["weight_zero_point"] = 0;
      return;
    }
    fields[field("tracked_min_", "")] = -scale * static_cast<float>(levels_.max);
    fields[field("tracked_max_", "")] = scale * static_cast<float>(levels_.max);
  }

 private:
  void start(const at::Tensor& tensor) {
    if (tensor.numel() == 0) return;
    (void)finite_ranges(tensor);
    seen_ = true;
    const auto mean = tensor.abs().mean().item<double>();
    last_ = static_cast<float>(2 * mean / std::sqrt(static_cast<double>(levels_.max)));
    if (last_ > 0) scale_.detach().fill_(last_);
  }

  int bits_;
  QuantLevels levels_;
  at::Tensor scale_;  ///< in the optimizer from the beginning, so it stays the same tensor
  float last_ = 0;    ///< its value after the last step; 0: not started, nothing but zeros came
  bool seen_ = false;
};

}  // namespace

TensorQuantizerPointer learnt_scale(TensorSite site, SharedProgress progress, int bits, const at::Tensor& weight) {
  return std::make_shared<LearntScaleQuantizer>(std::move(site), std::move(progress), bits, weight);
}

}  // namespace lathe::compression

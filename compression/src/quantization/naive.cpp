#include <algorithm>

#include <ATen/ATen.h>

#include "quantization/quantizers.hpp"
#include "quantization/straight_through.hpp"

namespace lathe::compression {
namespace {

class NaiveWeight final : public TensorQuantizer {
 public:
  using TensorQuantizer::TensorQuantizer;

  at::Tensor pass(const at::Tensor& weight) override {
    if (progress().calibrating) return weight;
    const ValueRange range = finite_ranges(weight).front();
    scale_ = std::max(scale_, std::max(-range.min, range.max) / static_cast<float>(kLevels.max));
    if (scale_ == 0) return weight;  // all zero, and always was
    return straight_through(weight, {weight.detach().div(scale_).trunc_().mul_(scale_), {}});
  }

  [[nodiscard]] std::optional<QuantGrid> grid() const override {
    if (scale_ == 0) return std::nullopt;
    return QuantGrid{{scale_}, {0}, kLevels, 0};
  }

  void describe(nlohmann::ordered_json& fields) const override {
    fields["weight_bits"] = 8;
    if (scale_ > 0) fields["weight_scale"] = scale_;
  }

 private:
  static constexpr QuantLevels kLevels{-127, 127};

  float scale_ = 0;
};

}  // namespace

TensorQuantizerPointer naive_weight(TensorSite site, SharedProgress progress) {
  return std::make_shared<NaiveWeight>(std::move(site), std::move(progress));
}

}  // namespace lathe::compression

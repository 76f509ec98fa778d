#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "quantization/quantizers.hpp"
#include "quantization/straight_through.hpp"

namespace lathe::compression {
namespace {

constexpr int kFloatBits = 24;

class DoReFaWeight final : public TensorQuantizer {
 public:
  DoReFaWeight(TensorSite site, SharedProgress progress, int bits)
      : TensorQuantizer(std::move(site), std::move(progress)), bits_(bits) {}

  at::Tensor pass(const at::Tensor& weight) override {
    if (progress().calibrating) return weight;
    (void)finite_ranges(weight);
    return straight_through(weight, quantize(weight.detach()));
  }

  /// Every second multiple of 1 / (2^k - 1), the odd ones. Wider ones are more than a float32 tells apart.
  [[nodiscard]] std::optional<QuantGrid> grid() const override {
    if (bits_ > kFloatBits) return std::nullopt;
    const std::int64_t steps = (std::int64_t{1} << bits_) - 1;
    return QuantGrid{{static_cast<float>(1.0 / static_cast<double>(steps))}, {0}, {-steps, steps}};
  }

  void describe(nlohmann::ordered_json& fields) const override { fields["weight_bits"] = bits_; }

 private:
  /// The gradient is the paper's: through tanh, with its maximum taken as a constant. All zeros count as maximum 1.
  [[nodiscard]] Replacement quantize(const at::Tensor& weight) const {
    const c10::NoGradGuard no_grad;
    const at::Tensor squashed = at::tanh(bits_ > kFloatBits ? weight.to(at::kDouble) : weight);
    at::Tensor largest = squashed.abs().max();
    largest.masked_fill_(largest == 0, 1);
    const auto steps = static_cast<double>((std::int64_t{1} << bits_) - 1);
    const at::Tensor unit = (squashed / (2 * largest)).add_(0.5);
    const at::Tensor value = unit.mul_(steps).round_().div_(steps).mul_(2).sub_(1);
    return {value.to(at::kFloat), (1 - squashed * squashed).div_(largest).to(at::kFloat)};
  }

  int bits_;
};

}  // namespace

TensorQuantizerPointer dorefa_weight(TensorSite site, SharedProgress progress, int bits) {
  return std::make_shared<DoReFaWeight>(std::move(site), std::move(progress), bits);
}

}  // namespace lathe::compression

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "quantization/quantizers.hpp"
#include "quantization/straight_through.hpp"

namespace lathe::compression {
namespace {

/// +1 where x >= 0 (so -0 too), else -1.
at::Tensor binary(const at::Tensor& x) {
  return x.ge(0).to(x.scalar_type()).mul_(2).sub_(1);
}

QuantGrid signs() {
  return {{1}, {0}, {-1, 1}};
}

class BinaryWeight final : public TensorQuantizer {
 public:
  BinaryWeight(TensorSite site, SharedProgress progress, at::Tensor weight)
      : TensorQuantizer(std::move(site), std::move(progress)), weight_(std::move(weight)) {}

  at::Tensor pass(const at::Tensor& weight) override {
    if (progress().calibrating) return weight;
    (void)finite_ranges(weight);
    return straight_through(weight, {binary(weight.detach()), {}});
  }

  void after_step() override { weight_.detach().clamp_(-1, 1); }

  [[nodiscard]] std::optional<QuantGrid> grid() const override { return signs(); }
  void describe(nlohmann::ordered_json& fields) const override { fields["weight_bits"] = 1; }

 private:
  at::Tensor weight_;
};

class BinaryOutput final : public TensorQuantizer {
 public:
  using TensorQuantizer::TensorQuantizer;

  at::Tensor pass(const at::Tensor& output) override {
    if (progress().calibrating) return output;
    (void)finite_ranges(output);
    const at::Tensor x = output.detach();
    return straight_through(output, {binary(x), x.abs().le_(1)});
  }

  [[nodiscard]] std::optional<QuantGrid> grid() const override { return signs(); }
  void describe(nlohmann::ordered_json& fields) const override { fields["output_bits"] = 1; }
};

}  // namespace

TensorQuantizerPointer binary_weight(TensorSite site, SharedProgress progress, const at::Tensor& weight) {
  return std::make_shared<BinaryWeight>(std::move(site), std::move(progress), weight);
}

TensorQuantizerPointer binary_output(TensorSite site, SharedProgress progress) {
  return std::make_shared<BinaryOutput>(std::move(site), std::move(progress));
}

}  // namespace lathe::compression

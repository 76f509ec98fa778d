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
    constexpr float max_level = 127;
    const ValueRange range = finite_ranges(weight).front();
    scale_ = std::max(scale_, std::max(-range.min, range.max) / max_level);
    if (scale_ == 0) return weight;  // all zero, and always was
    return straight_through(weight, {weight.detach().div(scale_).trunc_().mul_(scale_), {}});
  }

  void describe(nlohmann::ordered_json& fields) const override {
    fields["weight_bits"] = 8;
    if (scale_ > 0) fields["weight_scale"] = scale_;
  }

 private:
  float scale_ = 0;
};

}  // namespace

TensorQuantizerPointer naive_weight(TensorSite site, SharedProgress progress) {
  return std::make_shared<NaiveWeight>(std::move(site), std::move(progress));
}

}  // namespace lathe::compression

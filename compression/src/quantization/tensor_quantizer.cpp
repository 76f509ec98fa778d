#include "quantization/tensor_quantizer.hpp"

#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace lathe::compression {

std::string TensorSite::kind() const {
  switch (place) {
    case TapPlace::Input:
      return "input";
    case TapPlace::Output:
      return "output";
    case TapPlace::Weight:
    case TapPlace::Bias:
      break;
  }
  return "weight";
}

std::string TensorSite::text() const {
  return fmt::format("the {} of layer `{}`", kind(), layer);
}

void TensorQuantizer::require_float(const at::Tensor& tensor) const {
  if (tensor.scalar_type() == at::kFloat) return;
  throw std::runtime_error(fmt::format("{} is {}; only float32 can be quantized", site_.text(), tensor.toString()));
}

std::vector<ValueRange> TensorQuantizer::finite_ranges(const at::Tensor& tensor,
                                                       std::optional<std::int64_t> axis) const {
  require_float(tensor);
  auto ranges = value_ranges(tensor, axis);
  for (const ValueRange& range : ranges) {
    if (std::isnan(range.min)) throw std::runtime_error(fmt::format("{} has NaN or infinite values", site_.text()));
  }
  return ranges;
}

std::optional<std::int64_t> activation_axis(const TensorSite& site, const at::Tensor& tensor) {
  if (tensor.dim() < 2 || (site.type == "Linear" && tensor.dim() != 2)) return std::nullopt;
  return 1;
}

}  // namespace lathe::compression

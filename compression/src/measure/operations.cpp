#include "measure/operations.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <ATen/core/Tensor.h>

namespace lathe::compression {
namespace {

/// Operations an element of the output.
const std::unordered_map<std::string_view, std::int64_t>& factors() {
  static const std::unordered_map<std::string_view, std::int64_t> table{{"batch_norm", 2},
                                                                        {"layer_norm", 2},
                                                                        {"native_layer_norm", 2},
                                                                        {"group_norm", 2},
                                                                        {"avg_pool1d", 1},
                                                                        {"avg_pool2d", 1},
                                                                        {"avg_pool3d", 1},
                                                                        {"upsample_linear1d", 5},
                                                                        {"upsample_bilinear2d", 11},
                                                                        {"upsample_trilinear3d", 31},
                                                                        {"upsample_bicubic2d", 259},
                                                                        {"relu", 1},
                                                                        {"relu6", 1},
                                                                        {"leaky_relu", 1},
                                                                        {"hardtanh", 1},
                                                                        {"sigmoid", 1},
                                                                        {"tanh", 1},
                                                                        {"gelu", 1},
                                                                        {"silu", 1},
                                                                        {"elu", 1},
                                                                        {"selu", 1},
                                                                        {"celu", 1},
                                                                        {"hardswish", 1},
                                                                        {"hardsigmoid", 1},
                                                                        {"prelu", 1},
                                                                        {"rrelu", 1},
                                                                        {"softplus", 1},
                                                                        {"mish", 1}};
  return table;
}

/// `relu` of aten::relu_.
std::string name_of(const torch::jit::Node* node) {
  std::string name = node->kind().toUnqualString();
  if (name.ends_with('_')) name.pop_back();
  return name;
}

/// The elements of one window, taken as equally large, and a division.
std::int64_t adaptive_pool(const at::Tensor& input, const at::Tensor& output, std::int64_t axes) {
  std::int64_t window = 1;
  for (std::int64_t axis = 1; axis <= axes; ++axis)
    window *= input.size(-axis) / std::max<std::int64_t>(output.size(-axis), 1);
  return (window + 1) * output.numel();
}

}  // namespace

std::int64_t operations_of(const torch::jit::Node* node, const Values& inputs, const Values& outputs) {
  if (!node->kind().is_aten() || outputs.empty() || !outputs[0].isTensor() || inputs.empty() || !inputs[0].isTensor())
    return 0;
  const std::string name = name_of(node);
  const at::Tensor output = outputs[0].toTensor();
  if (const auto factor = factors().find(name); factor != factors().end()) return factor->second * output.numel();
  if (name.starts_with("adaptive_avg_pool")) return adaptive_pool(inputs[0].toTensor(), output, name.at(17) - '0');
  if (name == "matmul" || name == "bmm" || name == "mm") return output.numel() * inputs[0].toTensor().size(-1);
  return 0;
}

}  // namespace lathe::compression

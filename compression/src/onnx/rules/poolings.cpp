// Maximum and average pooling, with given windows or a given output size.
#include <algorithm>
#include <string>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

using Ints = std::vector<std::int64_t>;

struct Window {
  Ints kernel;
  Ints stride;
  Ints padding;
  Ints dilation;

  Window(OpCall& call, std::size_t spatial)
      : kernel(call.integers("kernel_size", spatial)),
        stride(call.integers("stride", spatial)),
        padding(call.integers("padding", spatial)),
        dilation(call.has("dilation") ? call.integers("dilation", spatial) : Ints(spatial, 1)) {
    if (stride.empty()) stride = kernel;
  }

  [[nodiscard]] Attributes attributes(const Ints& pads) const {
    return {{"kernel_shape", kernel}, {"strides", stride}, {"pads", pads}};
  }
};

/// An input with batch and channels, which ONNX wants. PyTorch takes those without a batch as well.
at::Tensor batched_input(OpCall& call, std::size_t spatial) {
  at::Tensor x = call.required("self");
  if (x.dim() != static_cast<std::int64_t>(spatial) + 2) throw Unsupported("its input has no batch dimension");
  return x;
}

/// Padding behind that lets exactly as many windows fit as PyTorch made. So its rule for ceil_mode (no window begins
/// in the padding behind) holds, which ONNX's ceil_mode has not.
Ints padding_behind(OpCall& call, const at::Tensor& x, const Window& window, const Ints& front) {
  Ints behind;
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    const std::int64_t extent =
        (call.fixed_size(call.result(), axis) - 1) * window.stride[i] + window.dilation[i] * (window.kernel[i] - 1) + 1;
    behind.push_back(std::max<std::int64_t>(extent - call.fixed_size(x, axis) - front[i], 0));
  }
  return behind;
}

Ints joined(Ints front, const Ints& behind) {
  front.insert(front.end(), behind.begin(), behind.end());
  return front;
}

template <std::size_t kSpatial>
void max_pool(OpCall& call) {
  const at::Tensor x = batched_input(call, kSpatial);
  const Window window(call, kSpatial);
  auto attributes = window.attributes(joined(window.padding, padding_behind(call, x, window, window.padding)));
  attributes.emplace_back("dilations", window.dilation);
  call.out(call.add("MaxPool", {call.name(x)}, attributes));
}

/// The input with PyTorch's own padding as if it were data, which count_include_pad counts.
std::string with_zeros(OpCall& call, const at::Tensor& x, const Window& window) {
  if (std::all_of(window.padding.begin(), window.padding.end(), [](auto n) { return n == 0; })) return call.name(x);
  const Ints half = joined({0, 0}, window.padding);
  return call.add("Pad", {call.name(x), call.ints(joined(half, half)), call.scalar(0, x.scalar_type())});
}

template <std::size_t kSpatial>
void avg_pool(OpCall& call) {
  const at::Tensor x = batched_input(call, kSpatial);
  const Window window(call, kSpatial);
  const bool divisor = call.has("divisor_override");
  Ints behind = padding_behind(call, x, window, window.padding);
  std::string input = call.name(x);
  Ints front = window.padding;
  if (call.flag("count_include_pad") || divisor) {
    input = with_zeros(call, x, window);
    front = Ints(kSpatial, 0);
    for (std::size_t i = 0; i < kSpatial; ++i) behind[i] = std::max<std::int64_t>(behind[i] - window.padding[i], 0);
  }
  auto attributes = window.attributes(joined(front, behind));
  if (!divisor) return call.out(call.add("AveragePool", {input}, attributes));
  attributes.emplace_back("count_include_pad", 1);
  double elements = 1;
  for (const std::int64_t size : window.kernel) elements *= static_cast<double>(size);
  const std::string factor =
      call.scalar(elements / static_cast<double>(call.integer("divisor_override")), x.scalar_type());
  call.out(call.add("Mul", {call.add("AveragePool", {input}, attributes), factor}));
}

/// Row i holds the weights that output i gives to each input: those of the window from floor(i in / out) up to
/// ceil((i + 1) in / out).
at::Tensor averaging_matrix(std::int64_t in, std::int64_t out, at::ScalarType type) {
  at::Tensor matrix = at::zeros({out, in}, type);
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t begin = i * in / out;
    const std::int64_t end = ((i + 1) * in + out - 1) / out;
    matrix.select(0, i).slice(0, begin, end).fill_(1.0 / static_cast<double>(end - begin));
  }
  return matrix;
}

/// Windows of unequal size, dimension by dimension, as products with constant matrices.
std::string average_by_matrix(OpCall& call, const at::Tensor& x, const Ints& outputs) {
  std::string y = call.name(x);
  const std::int64_t rank = x.dim();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    Ints last(static_cast<std::size_t>(rank));
    for (std::int64_t k = 0; k < rank; ++k) last[static_cast<std::size_t>(k)] = k;
    std::swap(last[static_cast<std::size_t>(axis)], last[static_cast<std::size_t>(rank) - 1]);
    const at::Tensor matrix = averaging_matrix(call.fixed_size(x, axis), outputs[i], x.scalar_type());
    const std::string product = call.add("MatMul", {call.transpose(y, last), call.constant(matrix.t().contiguous())});
    y = call.transpose(product, last);
  }
  return y;
}

/// Windows of equal size next to each other; nothing when the sizes do not allow it.
bool equal_windows(OpCall& call, const at::Tensor& x, const Ints& outputs, const std::string& type) {
  Ints kernel;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::int64_t in = call.fixed_size(x, static_cast<std::int64_t>(i) + 2);
    if (outputs[i] == 0 || in % outputs[i] != 0) return false;
    kernel.push_back(in / outputs[i]);
  }
  call.out(call.add(type, {call.name(x)}, {{"kernel_shape", kernel}, {"strides", kernel}}));
  return true;
}

Ints output_sizes(OpCall& call, std::size_t spatial) {
  Ints outputs;
  for (std::size_t i = 0; i < spatial; ++i)
    outputs.push_back(call.fixed_size(call.result(), static_cast<std::int64_t>(i) + 2));
  return outputs;
}

template <std::size_t kSpatial>
void adaptive_avg_pool(OpCall& call) {
  const at::Tensor x = batched_input(call, kSpatial);
  const Ints outputs = output_sizes(call, kSpatial);
  if (std::all_of(outputs.begin(), outputs.end(), [](auto n) { return n == 1; })) {
    return call.out(call.add("GlobalAveragePool", {call.name(x)}));
  }
  if (!equal_windows(call, x, outputs, "AveragePool")) call.out(average_by_matrix(call, x, outputs));
}

template <std::size_t kSpatial>
void adaptive_max_pool(OpCall& call) {
  const at::Tensor x = batched_input(call, kSpatial);
  const Ints outputs = output_sizes(call, kSpatial);
  if (std::all_of(outputs.begin(), outputs.end(), [](auto n) { return n == 1; })) {
    return call.out(call.add("GlobalMaxPool", {call.name(x)}));
  }
  if (!equal_windows(call, x, outputs, "MaxPool")) {
    throw Unsupported("its windows are not of one size (the output size does not divide the input's)");
  }
}

}  // namespace

const RuleTable& pooling_rules() {
  static const RuleTable table{{"aten::max_pool1d", max_pool<1>},
                               {"aten::max_pool2d", max_pool<2>},
                               {"aten::max_pool3d", max_pool<3>},
                               {"aten::max_pool1d_with_indices", max_pool<1>},
                               {"aten::max_pool2d_with_indices", max_pool<2>},
                               {"aten::max_pool3d_with_indices", max_pool<3>},
                               {"aten::avg_pool1d", avg_pool<1>},
                               {"aten::avg_pool2d", avg_pool<2>},
                               {"aten::avg_pool3d", avg_pool<3>},
                               {"aten::adaptive_avg_pool1d", adaptive_avg_pool<1>},
                               {"aten::adaptive_avg_pool2d", adaptive_avg_pool<2>},
                               {"aten::adaptive_avg_pool3d", adaptive_avg_pool<3>},
                               {"aten::adaptive_max_pool1d", adaptive_max_pool<1>},
                               {"aten::adaptive_max_pool2d", adaptive_max_pool<2>},
                               {"aten::adaptive_max_pool3d", adaptive_max_pool<3>}};
  return table;
}

}  // namespace lathe::compression::onnx_out

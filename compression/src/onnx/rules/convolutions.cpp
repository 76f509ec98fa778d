// Convolutions of one, two and three dimensions, grouped and transposed.
#include <string>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

using Ints = std::vector<std::int64_t>;

/// The parts that all of the family share.
struct Convolution {
  at::Tensor input;
  at::Tensor weight;
  Ints stride;
  Ints dilation;
  std::int64_t groups;
  Ints kernel;

  explicit Convolution(OpCall& call) : input(call.required("input")), weight(call.required("weight")) {
    if (input.dim() != weight.dim()) throw Unsupported("its input has no batch dimension");
    const auto spatial = static_cast<std::size_t>(weight.dim()) - 2;
    stride = call.integers("stride", spatial);
    dilation = call.integers("dilation", spatial);
    groups = call.integer("groups");
    kernel = weight.sizes().slice(2).vec();
  }

  [[nodiscard]] Attributes attributes(const Ints& pads) const {
    return {{"kernel_shape", kernel}, {"strides", stride}, {"dilations", dilation}, {"group", groups}, {"pads", pads}};
  }
};

Names operands(OpCall& call, const Convolution& convolution) {
  Names names{call.name(convolution.input), call.name(convolution.weight)};
  if (call.tensor("bias").defined()) names.push_back(call.in("bias"));
  return names;
}

/// The same in front and behind.
Ints both_sides(const Ints& padding) {
  Ints pads = padding;
  pads.insert(pads.end(), padding.begin(), padding.end());
  return pads;
}

/// PyTorch's `padding="same"`: what is odd goes behind.
Ints same_padding(const Convolution& convolution) {
  Ints front;
  Ints back;
  for (std::size_t i = 0; i < convolution.kernel.size(); ++i) {
    const std::int64_t total = convolution.dilation[i] * (convolution.kernel[i] - 1);
    front.push_back(total / 2);
    back.push_back(total - total / 2);
  }
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

Ints pads_of(OpCall& call, const Convolution& convolution) {
  const auto padding = call.argument("padding");
  if (!padding.isString()) return both_sides(call.integers("padding", convolution.kernel.size()));
  return padding.toStringRef() == "same" ? same_padding(convolution) : Ints(2 * convolution.kernel.size(), 0);
}

void forward(OpCall& call) {
  const Convolution convolution(call);
  call.out(call.add("Conv", operands(call, convolution), convolution.attributes(pads_of(call, convolution))));
}

void transposed(OpCall& call) {
  const Convolution convolution(call);
  auto attributes = convolution.attributes(pads_of(call, convolution));
  attributes.emplace_back("output_padding", call.integers("output_padding", convolution.kernel.size()));
  call.out(call.add("ConvTranspose", operands(call, convolution), attributes));
}

void either(OpCall& call) {
  call.flag("transposed") ? transposed(call) : forward(call);
}

}  // namespace

const RuleTable& convolution_rules() {
  static const RuleTable table{{"aten::conv1d", forward},
                               {"aten::conv2d", forward},
                               {"aten::conv3d", forward},
                               {"aten::conv_transpose1d", transposed},
                               {"aten::conv_transpose2d", transposed},
                               {"aten::conv_transpose3d", transposed},
                               {"aten::convolution", either},
                               {"aten::_convolution", either}};
  return table;
}

}  // namespace lathe::compression::onnx_out

// QuantizeLinear and DequantizeLinear.
#include <algorithm>
#include <string>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// Scale and zero point of a node, which are inputs 1 and 2.
struct Grid {
  at::Tensor scale;
  at::Tensor zero_point;
  at::ScalarType type = at::kByte;
  std::int64_t axis = 1;

  explicit Grid(NodeCall& call) : scale(call.required_constant(1, "scale")), axis(call.integer("axis", 1)) {
    zero_point = call.has(2) ? call.required_constant(2, "zero point") : at::zeros(scale.sizes(), at::kByte);
    type = zero_point.scalar_type();
    if (scale.dim() > 1 || scale.sizes() != zero_point.sizes()) call.bad("its scale and zero point do not fit");
    if (!c10::isFloatingType(scale.scalar_type()) ||
        !at::isfinite(scale).logical_and(scale.gt(0)).all().item().toBool()) {
      call.bad("its scales are not positive numbers");
    }
    if (type != at::kByte && type != at::kChar && type != at::kInt) call.bad("its integers are not of 8 or 32 bits");
  }

  [[nodiscard]] bool per_channel() const { return scale.numel() > 1; }
  [[nodiscard]] std::string least() const { return type == at::kByte ? "0" : "-128"; }
  [[nodiscard]] std::string most() const { return type == at::kByte ? "255" : "127"; }
};

/// One value for each channel in the shape that goes over the tensor's channels.
std::string over_channels(NodeCall& call, const std::string& code, const Grid& grid) {
  if (!grid.per_channel()) return code;
  const std::int64_t rank = call.required_rank(0);
  Ints shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(call.wrapped(grid.axis, rank))] = -1;
  return fmt::format("{}.reshape({})", code, list_code(shape));
}

std::string zero_code(NodeCall& call) {
  return call.has(2) ? call.in(2) + ".to(6)" : "torch.zeros([1])";
}

/// Its result is written only where it is dequantized.
void quantize(NodeCall& call) {
  const Grid grid(call);
  const Node* reader = call.builder().only_reader(call.node().outputs.at(0));
  if (grid.type == at::kInt || reader == nullptr || reader->type != "DequantizeLinear" || !reader->domain.empty()) {
    call.bad("its integers go elsewhere than into one DequantizeLinear, which is not supported");
  }
  (void)call.in(0);
  call.builder().value(call.node().outputs[0]).quantized_by = &call.node();
}

bool same_constant(NodeCall& a, NodeCall& b, std::size_t i) {
  if (!a.has(i) && !b.has(i)) return true;
  return a.constant(i).defined() && b.constant(i).defined() && a.constant(i).equal(b.constant(i));
}

void fake_quantize(NodeCall& call, const Node& quantizer) {
  NodeCall first(quantizer, call.builder());
  const Grid grid(first);
  if (!same_constant(first, call, 1) || !same_constant(first, call, 2)) {
    call.bad("its scale or zero point is not that of the QuantizeLinear before it");
  }
  const std::string x = first.in(0);
  if (grid.per_channel()) {
    const std::int64_t axis = call.wrapped(grid.axis, first.required_rank(0));
    return call.out(
        fmt::format("torch.fake_quantize_per_channel_affine({}, {}, {}, {}, {}, {})", x, first.in(1),
                    first.has(2) ? first.in(2) + ".to(3)" : fmt::format("torch.zeros_like({}).to(3)", first.in(1)),
                    axis, grid.least(), grid.most()));
  }
  call.out(fmt::format("torch.fake_quantize_per_tensor_affine({}, {}, {}, {}, {})", x,
                       number_code(grid.scale.reshape({-1})[0].item().toDouble()),
                       grid.zero_point.reshape({-1})[0].item().toLong(), grid.least(), grid.most()));
}

void dequantize(NodeCall& call) {
  if (const Node* quantizer = call.value(0).quantized_by) return fake_quantize(call, *quantizer);
  const Grid grid(call);
  (void)call.required_constant(0, "integer tensor");
  const std::string scale = over_channels(call, call.in(1), grid);
  call.out(fmt::format("({}.to(6) - {}) * {}", call.in(0), over_channels(call, zero_code(call), grid), scale));
}

}  // namespace

const Rules& quantization_rules() {
  static const Rules rules{{"QuantizeLinear", quantize}, {"DequantizeLinear", dequantize}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

// Padding with a constant, by reflection or by the edge.
#include <string>

#include <fmt/format.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// PyTorch counts pairs from the last dimension; ONNX wants all that begin, then all that end.
std::vector<std::int64_t> onnx_pads(const std::vector<std::int64_t>& pairs, std::int64_t rank) {
  std::vector<std::int64_t> pads(static_cast<std::size_t>(2 * rank), 0);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const auto axis = static_cast<std::size_t>(rank) - 1 - i / 2;
    pads[axis] = pairs[i];
    pads[axis + static_cast<std::size_t>(rank)] = pairs[i + 1];
  }
  return pads;
}

void padded(OpCall& call, const char* argument, const std::string& mode, const std::string& value) {
  const at::Tensor x = call.required("self");
  Names inputs{call.name(x), call.ints(onnx_pads(call.integers(argument), x.dim()))};
  if (!value.empty()) inputs.push_back(value);
  call.out(call.add("Pad", inputs, {{"mode", mode}}));
}

void constant_pad(OpCall& call) {
  padded(call, "pad", "constant", call.scalar(call.number("value"), call.result().scalar_type()));
}

void reflection_pad(OpCall& call) {
  padded(call, "padding", "reflect", {});
}

void replication_pad(OpCall& call) {
  padded(call, "padding", "edge", {});
}

void pad(OpCall& call) {
  const auto mode = call.argument("mode");
  const std::string name = mode.isString() ? mode.toStringRef() : "constant";
  if (name == "reflect") return padded(call, "pad", "reflect", {});
  if (name == "replicate") return padded(call, "pad", "edge", {});
  if (name != "constant") throw Unsupported(fmt::format("ONNX of this opset has no padding called {}", name));
  padded(call, "pad", "constant",
         call.scalar(call.has("value") ? call.number("value") : 0, call.result().scalar_type()));
}

}  // namespace

const RuleTable& padding_rules() {
  static const RuleTable table{{"aten::pad", pad},
                               {"aten::constant_pad_nd", constant_pad},
                               {"aten::reflection_pad1d", reflection_pad},
                               {"aten::reflection_pad2d", reflection_pad},
                               {"aten::reflection_pad3d", reflection_pad},
                               {"aten::replication_pad1d", replication_pad},
                               {"aten::replication_pad2d", replication_pad},
                               {"aten::replication_pad3d", replication_pad}};
  return table;
}

}  // namespace lathe::compression::onnx_out

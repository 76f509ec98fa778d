// Tensors that come from sizes alone. Those of fixed sizes are constants and never get here.
#include <string>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// One value everywhere, in the sizes of the result.
void filled(OpCall& call, const std::string& value) {
  call.out(call.add("Expand", {value, call.shape(call.result_dims())}));
}

void zeros(OpCall& call) {
  filled(call, call.scalar(0, call.result().scalar_type()));
}

void ones(OpCall& call) {
  filled(call, call.scalar(1, call.result().scalar_type()));
}

void full(OpCall& call) {
  filled(call, call.operand("fill_value", call.result().scalar_type()));
}

/// Values that nobody has set: any will do.
void empty(OpCall& call) {
  zeros(call);
}

void arange(OpCall& call) {
  const auto bound = [&](const char* name, std::int64_t otherwise) {
    return call.has(name) ? call.squeeze(call.shape(call.sizes(name)), {0}) : call.graph().integer(otherwise);
  };
  const std::string range = call.add("Range", {bound("start", 0), bound("end", 0), bound("step", 1)});
  call.out(call.cast(range, at::kLong, call.result().scalar_type()));
}

}  // namespace

const RuleTable& creation_rules() {
  static const RuleTable table{{"aten::zeros", zeros},    {"aten::ones", ones},       {"aten::full", full},
                               {"aten::empty", empty},    {"aten::new_zeros", zeros}, {"aten::new_ones", ones},
                               {"aten::new_full", full},  {"aten::new_empty", empty}, {"aten::zeros_like", zeros},
                               {"aten::ones_like", ones}, {"aten::full_like", full},  {"aten::empty_like", empty},
                               {"aten::arange", arange}};
  return table;
}

}  // namespace lathe::compression::onnx_out

// Joining tensors and taking them apart.
#include <string>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// All of the joined tensors have the type of the result.
Names joined(OpCall& call) {
  Names names;
  for (const at::Tensor& tensor : call.tensors("tensors")) {
    // An empty vector joins anything: PyTorch has kept that from its beginnings.
    if (tensor.dim() == 1 && tensor.numel() == 0 && call.result().dim() > 1) continue;
    names.push_back(call.cast(call.name(tensor), tensor.scalar_type(), call.result().scalar_type()));
  }
  return names;
}

void cat(OpCall& call) {
  call.out(call.add("Concat", joined(call), {{"axis", call.axis("dim", call.result().dim())}}));
}

void stack(OpCall& call) {
  const std::int64_t axis = call.axis("dim", call.result().dim());
  Names names = joined(call);
  for (std::string& name : names) name = call.unsqueeze(name, {axis});
  call.out(call.add("Concat", names, {{"axis", axis}}));
}

/// split, chunk and tensor_split: the parts that came out tell their sizes.
void split(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::int64_t axis = call.axis("dim", x.dim());
  const auto parts = call.results();
  Sizes sizes;
  for (const at::Tensor& part : parts) sizes.push_back(call.dims(part).at(static_cast<std::size_t>(axis)));
  const std::string sizes_name = call.shape(sizes);
  const Names names = call.graph().add_many("Split", {call.name(x), sizes_name}, parts.size(), {{"axis", axis}});
  for (std::size_t i = 0; i < parts.size(); ++i) call.out(parts[i], names[i]);
}

void unbind(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::int64_t axis = call.axis("dim", x.dim());
  (void)call.fixed_size(x, axis);
  const std::string input = call.name(x);
  std::int64_t index = 0;
  for (const at::Tensor& part : call.results())
    call.out(part, call.add("Gather", {input, call.graph().integer(index++)}, {{"axis", axis}}));
}

}  // namespace

const RuleTable& joining_rules() {
  static const RuleTable table{{"aten::cat", cat},
                               {"aten::concat", cat},
                               {"aten::stack", stack},
                               {"aten::split", split},
                               {"aten::split_with_sizes", split},
                               {"aten::chunk", split},
                               {"aten::tensor_split", split},
                               {"aten::unbind", unbind}};
  return table;
}

}  // namespace lathe::compression::onnx_out

#include "speedup/shape_run.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "speedup/channels.hpp"
#include "speedup/tracer.hpp"

namespace lathe::compression {
namespace {

using torch::jit::Node;

/// Operators that ask for nothing but a tensor's shape and kind.
constexpr std::array<std::string_view, 15> kQuestions{
    "aten::size",       "aten::dim",    "aten::len",          "aten::numel",   "aten::is_floating_point",
    "aten::is_complex", "aten::__is__", "aten::__isnot__",    "prim::dtype",   "prim::device",
    "prim::is_cuda",    "prim::layout", "prim::is_quantized", "prim::is_meta", "prim::RaiseException"};

bool lacks_numbers(const c10::IValue& value) {
  const auto tensors = tensors_in(value);
  return std::any_of(tensors.begin(), tensors.end(), [](const at::Tensor& tensor) { return tensor.is_meta(); });
}

bool lack_numbers(const Values& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), lacks_numbers);
}

/// Operators on lists and dictionaries of anything.
bool works_on_containers(const Node* node) {
  const auto* schema = node->maybeSchema();
  if (!schema) return false;
  const auto& arguments = schema->arguments();
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const auto& argument) { return argument.type()->hasFreeVariables(); });
}

[[noreturn]] void refuse(const Node* node) {
  throw std::runtime_error(fmt::format("{}: shapes do not tell what it gives", node->kind().toQualString()));
}

at::Tensor without_numbers(at::IntArrayRef sizes, at::ScalarType type) {
  return at::empty(sizes, at::TensorOptions().dtype(type).device(at::kMeta));
}

}  // namespace

at::Tensor shape_of(const at::Tensor& tensor) {
  return without_numbers(tensor.sizes(), tensor.scalar_type());
}

std::optional<Values> ShapeRun::outputs(const SizedCall& call, const Values& inputs) const {
  if (works_on_containers(call.node) || !lack_numbers(inputs)) return std::nullopt;
  if (call.outputs.size() != call.node->outputs().size()) refuse(call.node);
  Values given;
  for (const MadeOutput& output : call.outputs) {
    if (!output.known) refuse(call.node);
    std::vector<at::Tensor> shapes;
    for (const MadeTensor& made : output.tensors) shapes.push_back(shape_left(made));
    const bool is_list = call.node->output(given.size())->type()->kind() == c10::TypeKind::ListType;
    if (output.is_first_input && shapes.front().sizes() != inputs.at(0).toTensor().sizes()) refuse(call.node);
    if (output.is_first_input)
      given.push_back(inputs.at(0));
    else
      given.push_back(is_list ? c10::IValue(shapes) : c10::IValue(shapes.front()));
  }
  return given;
}

void ShapeRun::check(const Node* node, const Values& inputs) const {
  const bool is_question = std::count(kQuestions.begin(), kQuestions.end(), node->kind().toQualString()) != 0;
  if (!is_question && !works_on_containers(node) && lack_numbers(inputs)) refuse(node);
}

at::Tensor ShapeRun::shape_left(const MadeTensor& made) const {
  std::vector<std::int64_t> sizes = made.sizes;
  for (std::int64_t axis = 0; made.labels.defined() && axis < made.labels.dim(); ++axis)
    if (made.labels.size(axis) > 1) sizes.at(static_cast<std::size_t>(axis)) = size_left(made.labels, axis);
  return without_numbers(sizes, made.type);
}

std::int64_t ShapeRun::size_left(const at::Tensor& labels, std::int64_t axis) const {
  const at::Tensor rows = rows_of(labels, axis).contiguous();
  const auto* label = rows.data_ptr<std::int64_t>();
  const auto stays = [&](Label each) { return decision_.going[static_cast<std::size_t>(each)] == 0; };
  std::int64_t left = 0;
  for (std::int64_t i = 0; i < rows.size(0); ++i, label += rows.size(1))
    left += std::any_of(label, label + rows.size(1), stays) ? 1 : 0;
  return left;
}

}  // namespace lathe::compression

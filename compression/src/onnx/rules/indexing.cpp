// Reading parts of a tensor: by position, by range, by a tensor of indices.
#include <algorithm>
#include <limits>
#include <string>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

std::string slice_of(OpCall& call, const std::string& x, const Size& start, const Size& end, std::int64_t axis,
                     std::int64_t step = 1) {
  return call.add("Slice", {x, call.shape({start}), call.shape({end}), call.ints({axis}), call.ints({step})});
}

void select(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::string index = call.squeeze(call.shape(call.sizes("index")), {0});
  call.out(call.add("Gather", {call.name(x), index}, {{"axis", call.axis("dim", x.dim())}}));
}

void slice(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::int64_t axis = call.axis("dim", x.dim());
  if (call.dims(x) == call.result_dims() && call.integer("step") == 1) return call.out(call.name(x));
  const Size start = call.has("start") ? call.size("start") : Size{};
  const Size end = call.has("end") ? call.size("end") : Size{0, kEnd};
  call.out(slice_of(call, call.name(x), start, end, axis, call.integer("step")));
}

void narrow(OpCall& call) {
  const at::Tensor x = call.required("self");
  Size start = call.size("start");
  const std::int64_t axis = call.axis("dim", x.dim());
  const Size length = call.size("length");
  if (start.is_static() && start.fixed < 0) start.fixed += call.fixed_size(x, axis);
  const Size end{start.per_batch + length.per_batch, start.fixed + length.fixed};
  call.out(slice_of(call, call.name(x), start, end, axis));
}

void index_select(OpCall& call) {
  const at::Tensor x = call.required("self");
  call.out(call.add("Gather", {call.name(x), call.in("index")}, {{"axis", call.axis("dim", x.dim())}}));
}

void embedding(OpCall& call) {
  call.out(call.add("Gather", {call.in("weight"), call.in("indices")}, {{"axis", 0}}));
}

void gather(OpCall& call) {
  const at::Tensor x = call.required("self");
  call.out(call.add("GatherElements", {call.name(x), call.in("index")}, {{"axis", call.axis("dim", x.dim())}}));
}

/// x[a, b, …] with tensors of indices for the dimensions from `first` on, next to each other.
std::string gather_nd(OpCall& call, const at::Tensor& x, const std::vector<at::Tensor>& indices, std::int64_t first) {
  if (indices.size() == 1) {
    return call.add("Gather", {call.name(x), call.name(indices[0])}, {{"axis", first}});
  }
  if (first != 0) throw Unsupported("ONNX gathers by several tensors of indices from the first dimension on only");
  Names columns;
  const auto shape = call.dims(at::stack(at::broadcast_tensors(indices))[0]);
  for (const at::Tensor& index : indices) {
    const std::string same_size = call.add("Expand", {call.name(index), call.shape(shape)});
    columns.push_back(call.unsqueeze(same_size, {-1}));
  }
  return call.add("GatherND", {call.name(x), call.add("Concat", columns, {{"axis", -1}})});
}

void index(OpCall& call) {
  const at::Tensor x = call.required("self");
  std::vector<at::Tensor> indices;
  std::int64_t first = 0;
  std::int64_t place = 0;
  for (const c10::IValue& entry : call.argument("indices").toList()) {
    const bool given = entry.isTensor() && entry.toTensor().defined();
    if (given && indices.empty()) first = place;
    if (given && first + static_cast<std::int64_t>(indices.size()) != place) {
      throw Unsupported("its tensors of indices are not next to each other");
    }
    if (given) indices.push_back(entry.toTensor());
    ++place;
  }
  for (at::Tensor& one : indices) {
    const bool mask = one.scalar_type() == at::kBool || one.scalar_type() == at::kByte;
    if (mask && !call.is_constant(one)) throw Unsupported("the size of what a mask selects depends on the data");
    if (mask && one.dim() != 1) throw Unsupported("its mask has several dimensions");
    if (mask) one = at::nonzero(one).squeeze(1);
  }
  if (indices.empty()) return call.out(call.name(x));
  call.out(gather_nd(call, x, indices, first));
}

void flip(OpCall& call) {
  const at::Tensor x = call.required("self");
  std::string y = call.name(x);
  for (const std::int64_t axis : call.axes("dims", x.dim()))
    y = slice_of(call, y, {0, -1}, {0, std::numeric_limits<std::int64_t>::min()}, axis, -1);
  call.out(y);
}

void roll(OpCall& call) {
  const at::Tensor x = call.required("self");
  const auto shifts = call.integers("shifts");
  const auto axes = call.axes("dims", x.dim());
  if (axes.size() != shifts.size()) throw Unsupported("it rolls over all dimensions at once");
  std::string y = call.name(x);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t size = call.fixed_size(x, axes[i]);
    const std::int64_t shift = size == 0 ? 0 : ((shifts[i] % size) + size) % size;
    if (shift == 0) continue;
    const std::string front = slice_of(call, y, {0, size - shift}, {0, kEnd}, axes[i]);
    y = call.add("Concat", {front, slice_of(call, y, {}, {0, size - shift}, axes[i])}, {{"axis", axes[i]}});
  }
  call.out(y);
}

/// Keeps one side of a diagonal and sets the other to zero.
void triangle(OpCall& call, bool upper) {
  const at::Tensor x = call.required("self");
  const at::Tensor ones = at::ones({call.fixed_size(x, x.dim() - 2), call.fixed_size(x, x.dim() - 1)}, at::kBool);
  const std::int64_t diagonal = call.integer("diagonal");
  const at::Tensor mask = upper ? at::triu(ones, diagonal) : at::tril(ones, diagonal);
  call.out(call.add("Where", {call.constant(mask), call.name(x), call.scalar(0, x.scalar_type())}));
}

void triu(OpCall& call) {
  triangle(call, true);
}

void tril(OpCall& call) {
  triangle(call, false);
}

/// Windows along one dimension, which become the last one.
void unfold(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::int64_t axis = call.axis("dimension", x.dim());
  const std::int64_t size = call.integer("size");
  const std::int64_t windows = call.fixed_size(call.result(), axis);
  const at::Tensor starts = at::arange(windows, at::kLong).mul(call.integer("step")).unsqueeze(1);
  const std::string indices = call.constant(starts + at::arange(size, at::kLong));
  const std::string gathered = call.add("Gather", {call.name(x), indices}, {{"axis", axis}});
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i <= x.dim(); ++i)
    if (i != axis + 1) order.push_back(i);
  order.push_back(axis + 1);
  call.out(call.transpose(gathered, order));
}

}  // namespace

const RuleTable& indexing_rules() {
  static const RuleTable table{{"aten::select", select},       {"aten::slice", slice},
                               {"aten::narrow", narrow},       {"aten::index_select", index_select},
                               {"aten::embedding", embedding}, {"aten::gather", gather},
                               {"aten::index", index},         {"aten::flip", flip},
                               {"aten::roll", roll},           {"aten::triu", triu},
                               {"aten::tril", tril},           {"aten::unfold", unfold}};
  return table;
}

}  // namespace lathe::compression::onnx_out

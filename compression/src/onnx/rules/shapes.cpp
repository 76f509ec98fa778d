// Operators that only change how a tensor is laid out.
#include <numeric>
#include <string>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// view, reshape, flatten and their like: the sizes of the result say it all.
void reshaped(OpCall& call) {
  const at::Tensor x = call.required("self");
  call.out(call.reshape(call.name(x), call.dims(x), call.result_dims()));
}

std::vector<std::int64_t> identity_order(std::int64_t rank) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

void permute(OpCall& call) {
  const at::Tensor x = call.required("self");
  call.out(call.transpose(call.name(x), call.axes("dims", x.dim())));
}

void exchange(OpCall& call, std::int64_t a, std::int64_t b) {
  const at::Tensor x = call.required("self");
  auto order = identity_order(x.dim());
  std::swap(order.at(static_cast<std::size_t>(a)), order.at(static_cast<std::size_t>(b)));
  call.out(call.transpose(call.name(x), order));
}

void transpose(OpCall& call) {
  const std::int64_t rank = call.required("self").dim();
  const bool by_axis = call.has("axis0");
  exchange(call, call.axis(by_axis ? "axis0" : "dim0", rank), call.axis(by_axis ? "axis1" : "dim1", rank));
}

/// t, mT and numpy_T of a matrix.
void flipped_matrix(OpCall& call) {
  const std::int64_t rank = call.required("self").dim();
  if (rank < 2) return call.out(call.in("self"));
  exchange(call, rank - 2, rank - 1);
}

void numpy_transpose(OpCall& call) {
  const at::Tensor x = call.required("self");
  const auto order = identity_order(x.dim());
  call.out(call.transpose(call.name(x), {order.rbegin(), order.rend()}));
}

void movedim(OpCall& call) {
  const at::Tensor x = call.required("self");
  const auto source = call.axes("source", x.dim());
  const auto target = call.axes("destination", x.dim());
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.dim()), -1);
  std::vector<bool> moved(order.size(), false);
  for (std::size_t i = 0; i < source.size(); ++i) {
    order[static_cast<std::size_t>(target[i])] = source[i];
    moved[static_cast<std::size_t>(source[i])] = true;
  }
  std::size_t next = 0;
  for (std::int64_t& place : order) {
    if (place >= 0) continue;
    while (moved[next]) ++next;
    place = static_cast<std::int64_t>(next++);
  }
  call.out(call.transpose(call.name(x), order));
}

/// squeeze and unsqueeze are written as such: they keep every size that is dynamic.
void squeeze(OpCall& call) {
  const at::Tensor x = call.required("self");
  const Sizes dims = call.dims(x);
  std::vector<std::int64_t> axes = call.has("dim") ? call.axes("dim", x.dim()) : identity_order(x.dim());
  std::erase_if(axes, [&](std::int64_t axis) { return dims[static_cast<std::size_t>(axis)] != Size{0, 1}; });
  call.out(call.squeeze(call.name(x), axes));
}

void unsqueeze(OpCall& call) {
  call.out(call.unsqueeze(call.in("self"), {call.axis("dim", call.result().dim())}));
}

void expand(OpCall& call) {
  const at::Tensor x = call.required("self");
  if (call.dims(x) == call.result_dims()) return call.out(call.name(x));
  call.out(call.add("Expand", {call.name(x), call.shape(call.result_dims())}));
}

void repeated(OpCall& call, Sizes repeats) {
  const at::Tensor x = call.required("self");
  while (repeats.size() < static_cast<std::size_t>(x.dim())) repeats.insert(repeats.begin(), Size{0, 1});
  Sizes widened = call.dims(x);
  while (widened.size() < repeats.size()) widened.insert(widened.begin(), Size{0, 1});
  const std::string wide = call.reshape(call.name(x), call.dims(x), widened);
  call.out(call.add("Tile", {wide, call.shape(repeats)}));
}

void repeat(OpCall& call) {
  repeated(call, call.sizes("repeats"));
}

void tile(OpCall& call) {
  repeated(call, call.sizes("dims"));
}

/// Each element so many times in a row: a new dimension behind, repeated and taken in.
void repeat_interleave(OpCall& call) {
  const at::Tensor x = call.required("self");
  if (!call.argument("repeats").isInt()) throw Unsupported("each element has its own number of repeats");
  const std::int64_t repeats = call.integer("repeats");
  const bool flat = !call.has("dim");
  const Sizes dims = flat ? Sizes{call.result_dims()[0]} : call.dims(x);
  const std::int64_t axis = flat ? 0 : call.axis("dim", x.dim());
  const std::string input = flat ? call.add("Reshape", {call.name(x), call.ints({-1})}) : call.name(x);
  std::vector<std::int64_t> tiles(dims.size() + 1, 1);
  tiles[static_cast<std::size_t>(axis) + 1] = repeats;
  const std::string tiled = call.add("Tile", {call.unsqueeze(input, {axis + 1}), call.ints(tiles)});
  call.out(call.reshape(tiled, {}, call.result_dims()));
}

}  // namespace

const RuleTable& shape_rules() {
  static const RuleTable table{{"aten::view", reshaped},
                               {"aten::reshape", reshaped},
                               {"aten::_reshape_alias", reshaped},
                               {"aten::_unsafe_view", reshaped},
                               {"aten::view_as", reshaped},
                               {"aten::reshape_as", reshaped},
                               {"aten::flatten", reshaped},
                               {"aten::unflatten", reshaped},
                               {"aten::ravel", reshaped},
                               {"aten::permute", permute},
                               {"aten::transpose", transpose},
                               {"aten::swapaxes", transpose},
                               {"aten::swapdims", transpose},
                               {"aten::t", flipped_matrix},
                               {"aten::mT", flipped_matrix},
                               {"aten::adjoint", flipped_matrix},
                               {"aten::numpy_T", numpy_transpose},
                               {"aten::movedim", movedim},
                               {"aten::moveaxis", movedim},
                               {"aten::squeeze", squeeze},
                               {"aten::unsqueeze", unsqueeze},
                               {"aten::expand", expand},
                               {"aten::expand_as", expand},
                               {"aten::broadcast_to", expand},
                               {"aten::repeat", repeat},
                               {"aten::tile", tile},
                               {"aten::repeat_interleave", repeat_interleave}};
  return table;
}

}  // namespace lathe::compression::onnx_out

// Reading parts of a tensor.
#include <algorithm>
#include <limits>
#include <string>

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// A table of rows that indices choose from is an embedding.
bool is_embedding(NodeCall& call, std::int64_t axis) {
  const at::Tensor table = call.constant(0);
  return table.defined() && table.dim() == 2 && axis == 0 && c10::isFloatingType(table.scalar_type()) &&
         !call.constant(1).defined();
}

void embed(NodeCall& call) {
  std::string& module = call.builder().shared_module("Embedding|" + call.input_name(0));
  const LeafModule leaf{"torch.nn.modules.sparse.Embedding",
                        {{"weight", call.constant(0)}},
                        {},
                        "  return torch.embedding(self.weight, x, -1, False, False)\n"};
  if (module.empty()) module = call.module(call.input_name(0), leaf);
  call.out(fmt::format("{}({})", module, call.in(1)));
}

/// One or more of the integers of a shape.
bool gather_integers(NodeCall& call) {
  if (!call.is_integer_list(0)) return false;
  const auto indices = call.integer_codes(1);
  if (!call.constant(1).defined() || !indices) return false;
  const Strings& from = *call.value(0).integers;
  Strings chosen;
  for (const std::string& code : *indices) {
    const std::int64_t index = call.wrapped(std::stoll(code), static_cast<std::int64_t>(from.size()));
    chosen.push_back(from[static_cast<std::size_t>(index)]);
  }
  call.out_integers(chosen, call.constant(1).dim() == 0);
  return true;
}

void gather(NodeCall& call) {
  if (gather_integers(call)) return;
  const std::int64_t axis = call.integer("axis", 0);
  const std::int64_t rank = call.required_rank(0);
  const std::int64_t place = call.wrapped(axis, rank);
  if (is_embedding(call, place)) return embed(call);
  const at::Tensor index = call.constant(1);
  const std::string x = call.in(0);
  if (index.defined() && index.dim() == 0) {
    return call.out(fmt::format("torch.select({}, {}, {})", x, place, index.item().toLong()));
  }
  // Indices of any rank, flattened for index_select and shaped again in the dimension's place.
  const std::string indices = call.variable(call.in(1) + ".to(4)");
  if (call.required_rank(1) == 1 && index.defined() && index.ge(0).all().item().toBool()) {
    return call.out(fmt::format("torch.index_select({}, {}, {})", x, place, indices));
  }
  const std::string wrapped = fmt::format("torch.where({0} < 0, {0} + {1}.size({2}), {0})", indices, x, place);
  const std::string before = fmt::format("{}.size()[:{}]", x, place);
  const std::string after = fmt::format("{}.size()[{}:]", x, place + 1);
  call.out(fmt::format("torch.index_select({}, {}, {}.flatten()).reshape({} + {}.size() + {})", x, place, wrapped,
                       before, indices, after));
}

void gather_elements(NodeCall& call) {
  const std::int64_t axis = call.wrapped(call.integer("axis", 0), call.required_rank(0));
  const std::string indices = call.variable(call.in(1) + ".to(4)");
  call.out(
      fmt::format("torch.gather({0}, {1}, torch.where({2} < 0, {2} + {0}.size({1}), {2}))", call.in(0), axis, indices));
}

/// Rows of indices, each for as many leading dimensions as it is long.
void gather_nd(NodeCall& call) {
  if (call.integer("batch_dims", 0) != 0) call.bad("batch_dims is not supported");
  const std::int64_t depth = call.fixed_size(1, call.required_rank(1) - 1);
  const std::string indices = call.variable(call.in(1) + ".to(4)");
  if (depth < 1 || depth > call.required_rank(0)) call.bad("its indices are longer than the tensor has dimensions");
  Strings columns;
  for (std::int64_t i = 0; i < depth; ++i) columns.push_back(fmt::format("torch.select({}, -1, {})", indices, i));
  call.out(fmt::format("{}[{}]", call.in(0), fmt::join(columns, ", ")));
}

struct SliceOf {
  Strings starts;
  Strings ends;
  Ints axes;
  Ints steps;
};

SliceOf slice_of(NodeCall& call) {
  SliceOf slice;
  if (call.opset() < 10) {
    for (const std::int64_t one : call.integers("starts", {})) slice.starts.push_back(std::to_string(one));
    for (const std::int64_t one : call.integers("ends", {})) slice.ends.push_back(std::to_string(one));
    slice.axes = call.integers("axes", {});
  } else {
    const auto starts = call.integer_codes(1);
    const auto ends = call.integer_codes(2);
    if (!starts || !ends) call.bad("its starts or ends hang on the data");
    slice.starts = *starts;
    slice.ends = *ends;
    slice.axes = call.fixed_integers("axes", 3).value_or(Ints{});
    slice.steps = call.fixed_integers("steps", 4).value_or(Ints{});
  }
  if (slice.axes.empty())
    for (std::size_t i = 0; i < slice.starts.size(); ++i) slice.axes.push_back(static_cast<std::int64_t>(i));
  if (slice.steps.empty()) slice.steps.assign(slice.axes.size(), 1);
  const std::size_t count = slice.axes.size();
  if (slice.starts.size() != count || slice.ends.size() != count || slice.steps.size() != count) {
    call.bad("its starts, ends, axes and steps differ in number");
  }
  return slice;
}

bool slice_integers(NodeCall& call, const SliceOf& slice) {
  if (!call.is_integer_list(0) || slice.axes.size() != 1 || slice.steps[0] != 1) return false;
  const auto start = literal_of(slice.starts[0]);
  const auto stop = literal_of(slice.ends[0]);
  if (!start || !stop) return false;
  const Strings& all = *call.value(0).integers;
  const auto size = static_cast<std::int64_t>(all.size());
  const auto clamped = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  const std::int64_t begin = clamped(*start);
  const std::int64_t end = std::max(begin, clamped(*stop));
  call.out_integers({all.begin() + begin, all.begin() + end}, false);
  return true;
}

/// A step of -1 over all of an axis turns it round; any other step back is not known in PyTorch.
void slice(NodeCall& call) {
  const SliceOf slice = slice_of(call);
  if (slice_integers(call, slice)) return;
  std::string code = call.in(0);
  for (std::size_t i = 0; i < slice.axes.size(); ++i) {
    if (slice.steps[i] == -1 && slice.starts[i] == "-1" && slice.ends[i].starts_with("-") && slice.ends[i].size() > 6) {
      code = fmt::format("torch.flip({}, [{}])", code, slice.axes[i]);
    } else if (slice.steps[i] < 1) {
      call.bad("it steps backwards over a part of a dimension");
    } else {
      code = fmt::format("torch.slice({}, {}, {}, {}, {})", code, slice.axes[i], slice.starts[i], slice.ends[i],
                         slice.steps[i]);
    }
  }
  call.out(code);
}

}  // namespace

const Rules& indexing_rules() {
  static const Rules rules{
      {"Gather", gather}, {"GatherElements", gather_elements}, {"GatherND", gather_nd}, {"Slice", slice}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

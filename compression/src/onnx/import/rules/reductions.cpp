// What makes one value of many.
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "onnx/import/node_call.hpp"
#include "onnx/import/rules/integers.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// Axes by attribute (all opsets for some, up to 12 for ReduceSum) or by input; none: all, or nothing at all.
std::optional<Ints> axes_of(NodeCall& call) {
  const auto axes = call.fixed_integers("axes", 1);
  if (axes && !axes->empty()) return axes;
  if (call.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
  Ints all(static_cast<std::size_t>(call.required_rank(0)));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

/// The product of a shape's sizes, and the like.
bool reduce_shape(NodeCall& call) {
  const std::string& type = call.node().type;
  if (type == "ReduceProd") return reduce_integers(call, "*");
  if (type == "ReduceSum") return reduce_integers(call, "+");
  if (type == "ReduceMax") return reduce_integers(call, "max");
  return type == "ReduceMin" && reduce_integers(call, "min");
}

void reduce(NodeCall& call) {
  if (reduce_shape(call)) return;
  const auto axes = axes_of(call);
  const std::string x = call.in(0);
  if (!axes || axes->empty()) return call.out(x);
  const std::string keep = call.integer("keepdims", 1) != 0 ? "True" : "False";
  const std::string list = list_code(*axes);
  const std::string& type = call.node().type;
  const auto sum = [&](const std::string& of) { return fmt::format("torch.sum({}, {}, {})", of, list, keep); };
  if (type == "ReduceSum") return call.out(sum(x));
  if (type == "ReduceMean") return call.out(fmt::format("torch.mean({}, {}, {})", x, list, keep));
  if (type == "ReduceMax") return call.out(fmt::format("torch.amax({}, {}, {})", x, list, keep));
  if (type == "ReduceMin") return call.out(fmt::format("torch.amin({}, {}, {})", x, list, keep));
  if (type == "ReduceL1") return call.out(sum(fmt::format("torch.abs({})", x)));
  if (type == "ReduceL2") return call.out(fmt::format("torch.sqrt({})", sum(fmt::format("{0} * {0}", x))));
  if (type == "ReduceSumSquare") return call.out(sum(fmt::format("{0} * {0}", x)));
  if (type == "ReduceLogSum") return call.out(fmt::format("torch.log({})", sum(x)));
  if (type == "ReduceLogSumExp") return call.out(fmt::format("torch.logsumexp({}, {}, {})", x, list, keep));
  if (axes->size() != 1) call.bad("a product over several axes is not supported");
  call.out(fmt::format("torch.prod({}, {}, {})", x, axes->front(), keep));
}

void arg_extreme(NodeCall& call) {
  const std::string keep = call.integer("keepdims", 1) != 0 ? "True" : "False";
  if (call.integer("select_last_index", 0) != 0) call.bad("select_last_index is not supported");
  const char* name = call.node().type == "ArgMax" ? "argmax" : "argmin";
  call.out(fmt::format("torch.{}({}, {}, {})", name, call.in(0), call.integer("axis", 0), keep));
}

void topk(NodeCall& call) {
  const auto k = call.opset() < 10 ? call.integer("k", 0) : static_cast<std::int64_t>(call.number(1, "k"));
  const std::string values = call.builder().new_variable();
  const std::string indices = call.builder().new_variable();
  call.line(fmt::format("{}, {} = torch.topk({}, {}, {}, {})", values, indices, call.in(0), k, call.integer("axis", -1),
                        call.integer("largest", 1) != 0 ? "True" : "False"));
  call.out(values, 0);
  call.out(indices, 1);
}

void cumsum(NodeCall& call) {
  if (call.integer("exclusive", 0) != 0 || call.integer("reverse", 0) != 0) {
    call.bad("exclusive and reverse are not supported");
  }
  call.out(fmt::format("torch.cumsum({}, {})", call.in(0), static_cast<std::int64_t>(call.number(1, "axis"))));
}

}  // namespace

const Rules& reduction_rules() {
  static const Rules rules{{"ReduceSum", reduce},
                           {"ReduceMean", reduce},
                           {"ReduceMax", reduce},
                           {"ReduceMin", reduce},
                           {"ReduceL1", reduce},
                           {"ReduceL2", reduce},
                           {"ReduceSumSquare", reduce},
                           {"ReduceLogSum", reduce},
                           {"ReduceLogSumExp", reduce},
                           {"ReduceProd", reduce},
                           {"ArgMax", arg_extreme},
                           {"ArgMin", arg_extreme},
                           {"TopK", topk},
                           {"CumSum", cumsum}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

// Sums, means, extremes and what else makes one value of many.
#include <numeric>
#include <string>

#include <c10/core/ScalarType.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

/// What is reduced; no axes: everything.
struct Reduced {
  std::vector<std::int64_t> axes;
  int keep = 0;

  Reduced(OpCall& call, const at::Tensor& x) {
    if (call.has("dim")) axes = call.axes("dim", x.dim());
    if (axes.empty()) {
      axes.resize(static_cast<std::size_t>(x.dim()));
      std::iota(axes.begin(), axes.end(), std::int64_t{0});
    }
    keep = call.flag("keepdim") ? 1 : 0;
  }
};

std::string reduce(OpCall& call, const std::string& type, const std::string& x, const Reduced& reduced) {
  if (reduced.axes.empty()) return x;  // a tensor without dimensions
  if (type == "ReduceSum") return call.add(type, {x, call.ints(reduced.axes)}, {{"keepdims", reduced.keep}});
  return call.add(type, {x}, {{"axes", reduced.axes}, {"keepdims", reduced.keep}});
}

template <const char* kType>
void plain(OpCall& call) {
  const at::Tensor x = call.required("self");
  call.out(reduce(call, kType, call.in_as("self", call.result().scalar_type()), Reduced(call, x)));
}

constexpr char kSum[] = "ReduceSum";
constexpr char kMean[] = "ReduceMean";
constexpr char kProd[] = "ReduceProd";
constexpr char kMax[] = "ReduceMax";
constexpr char kMin[] = "ReduceMin";
constexpr char kLogSumExp[] = "ReduceLogSumExp";
constexpr char kElementMax[] = "Max";
constexpr char kElementMin[] = "Min";
constexpr char kArgMax[] = "ArgMax";
constexpr char kArgMin[] = "ArgMin";

/// max and min have three meanings: of everything, along a dimension with indices, and of two tensors.
template <const char* kReduce, const char* kElementwise, const char* kArg>
void extreme(OpCall& call) {
  const auto type = call.result().scalar_type();
  if (call.has("other")) {
    return call.out(call.add(kElementwise, {call.operand("self", type), call.operand("other", type)}));
  }
  const at::Tensor x = call.required("self");
  const Reduced reduced(call, x);
  call.out(reduce(call, kReduce, call.name(x), reduced));
  if (call.result_count() < 2) return;
  call.out(call.add(kArg, {call.name(x)}, {{"axis", reduced.axes.at(0)}, {"keepdims", reduced.keep}}), 1);
}

template <const char* kType>
void position(OpCall& call) {
  const at::Tensor x = call.required("self");
  const int keep = call.flag("keepdim") ? 1 : 0;
  if (call.has("dim")) {
    return call.out(call.add(kType, {call.name(x)}, {{"axis", call.axis("dim", x.dim())}, {"keepdims", keep}}));
  }
  const std::string flat = call.add("Reshape", {call.name(x), call.ints({-1})});
  call.out(call.add(kType, {flat}, {{"axis", 0}, {"keepdims", 0}}));
}

/// The mean of squared deviations, times n / (n - correction).
std::string variance(OpCall& call, const at::Tensor& x) {
  const auto type = x.scalar_type();
  const Reduced reduced(call, x);
  double correction = 1;
  if (call.has("unbiased")) correction = call.flag("unbiased") ? 1 : 0;
  if (call.has("correction")) correction = call.number("correction");
  double count = 1;
  if (correction != 0) {
    for (const std::int64_t axis : reduced.axes) count *= static_cast<double>(call.fixed_size(x, axis));
  }
  Reduced kept = reduced;
  kept.keep = 1;
  const std::string centred = call.add("Sub", {call.name(x), reduce(call, kMean, call.name(x), kept)});
  const std::string mean = reduce(call, kMean, call.add("Mul", {centred, centred}), reduced);
  return correction == 0 ? mean : call.add("Mul", {mean, call.scalar(count / (count - correction), type)});
}

void var(OpCall& call) {
  call.out(variance(call, call.required("self")));
}

void stddev(OpCall& call) {
  call.out(call.add("Sqrt", {variance(call, call.required("self"))}));
}

void var_mean(OpCall& call) {
  const at::Tensor x = call.required("self");
  call.out(variance(call, x));
  call.out(reduce(call, kMean, call.name(x), Reduced(call, x)), 1);
}

/// Of vectors of order 1 and 2, or of any order by powers.
void norm(OpCall& call) {
  const at::Tensor x = call.required("self");
  const char* order_name = call.has("ord") ? "ord" : "p";
  const double order = call.has(order_name) ? call.number(order_name) : 2;
  const Reduced reduced(call, x);
  const auto type = call.result().scalar_type();
  if (order == 1) return call.out(reduce(call, "ReduceL1", call.name(x), reduced));
  if (order == 2) return call.out(reduce(call, "ReduceL2", call.name(x), reduced));
  if (order <= 0 || order > 1e6) throw Unsupported("the order of the norm is not a positive number");
  const std::string powers = call.add("Pow", {call.add("Abs", {call.name(x)}), call.scalar(order, type)});
  call.out(call.add("Pow", {reduce(call, kSum, powers, reduced), call.scalar(1 / order, type)}));
}

void cumsum(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::string input = call.in_as("self", call.result().scalar_type());
  call.out(call.add("CumSum", {input, call.graph().integer(call.axis("dim", x.dim()))}));
}

void topk(OpCall& call) {
  const at::Tensor x = call.required("self");
  const int largest = call.flag("largest") ? 1 : 0;
  const auto outputs = call.graph().add_many("TopK", {call.name(x), call.ints({call.integer("k")})}, 2,
                                             {{"axis", call.axis("dim", x.dim())}, {"largest", largest}});
  call.out(outputs[0]);
  call.out(outputs[1], 1);
}

/// All of a dimension in order: as many as it has of the largest or smallest. Nothing is said of equal values.
std::vector<std::string> sorted(OpCall& call) {
  const at::Tensor x = call.required("self");
  if (call.has("stable") && call.flag("stable")) throw Unsupported("ONNX has no stable sorting");
  const std::int64_t axis = call.axis("dim", x.dim());
  return call.graph().add_many("TopK", {call.name(x), call.ints({call.fixed_size(x, axis)})}, 2,
                               {{"axis", axis}, {"largest", call.flag("descending") ? 1 : 0}});
}

void sort(OpCall& call) {
  const auto outputs = sorted(call);
  call.out(outputs[0]);
  call.out(outputs[1], 1);
}

void argsort(OpCall& call) {
  call.out(sorted(call)[1]);
}

void any_all(OpCall& call, const std::string& type) {
  const at::Tensor x = call.required("self");
  const std::string bits = call.cast(call.in_as("self", at::kBool), at::kBool, at::kInt);
  call.out(call.cast(reduce(call, type, bits, Reduced(call, x)), at::kInt, at::kBool));
}

void any(OpCall& call) {
  any_all(call, kMax);
}

void all(OpCall& call) {
  any_all(call, kMin);
}

}  // namespace

const RuleTable& reduction_rules() {
  static const RuleTable table{{"aten::sum", plain<kSum>},
                               {"aten::mean", plain<kMean>},
                               {"aten::prod", plain<kProd>},
                               {"aten::amax", plain<kMax>},
                               {"aten::amin", plain<kMin>},
                               {"aten::logsumexp", plain<kLogSumExp>},
                               {"aten::max", extreme<kMax, kElementMax, kArgMax>},
                               {"aten::min", extreme<kMin, kElementMin, kArgMin>},
                               {"aten::argmax", position<kArgMax>},
                               {"aten::argmin", position<kArgMin>},
                               {"aten::var", var},
                               {"aten::std", stddev},
                               {"aten::var_mean", var_mean},
                               {"aten::norm", norm},
                               {"aten::linalg_vector_norm", norm},
                               {"aten::frobenius_norm", norm},
                               {"aten::cumsum", cumsum},
                               {"aten::topk", topk},
                               {"aten::sort", sort},
                               {"aten::argsort", argsort},
                               {"aten::any", any},
                               {"aten::all", all}};
  return table;
}

}  // namespace lathe::compression::onnx_out

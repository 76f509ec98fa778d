#include "onnx/import/ranks.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace lathe::compression::onnx_in {
namespace {

using Rank = std::optional<std::int64_t>;

/// The result has as many dimensions as the input that has most.
bool is_broadcast(std::string_view type) {
  static const std::set<std::string_view> types{
      "Add",  "Sub",         "Mul",  "Div",   "Pow",   "Mod",     "Max",
      "Min",  "Sum",         "Mean", "Where", "Equal", "Greater", "GreaterOrEqual",
      "Less", "LessOrEqual", "And",  "Or",    "Xor",   "MatMul"};
  return types.contains(type);
}

bool is_shaped_otherwise(std::string_view type) {
  static const std::set<std::string_view> types{"ArgMax", "ArgMin", "Constant", "ConstantOfShape", "Einsum", "GatherND",
                                                "GRU",    "LSTM",   "RNN",      "Range",           "Shape",  "Size"};
  return types.contains(type) || type.starts_with("Reduce");
}

Rank plus(Rank rank, std::int64_t more) {
  return rank ? Rank(*rank + more) : std::nullopt;
}

Rank most_of(const NodeCall& call) {
  Rank most = 0;
  for (std::size_t i = 0; i < call.input_count() && most; ++i) {
    const Rank rank = call.has(i) ? call.rank(i) : std::nullopt;
    most = rank ? Rank(std::max(*most, *rank)) : std::nullopt;
  }
  return most;
}

Rank count_of(const std::optional<Strings>& codes) {
  return codes ? Rank(static_cast<std::int64_t>(codes->size())) : std::nullopt;
}

Rank gathered(const NodeCall& call) {
  const Rank table = call.rank(0);
  const Rank indices = call.rank(1);
  return table && indices ? Rank(*table + *indices - 1) : std::nullopt;
}

}  // namespace

Rank rank_of_output(const NodeCall& call) {
  const std::string& type = call.node().type;
  if (is_shaped_otherwise(type) || !call.has(0)) return std::nullopt;
  if (is_broadcast(type)) return most_of(call);
  if (type == "Gemm" || type == "Flatten") return 2;
  if (type == "Reshape" || type == "Expand") return count_of(call.integer_codes(1));
  if (type == "Gather") return gathered(call);
  if (type == "Squeeze" || type == "Unsqueeze") {
    const auto axes = call.fixed_integers("axes", 1);
    if (!axes) return std::nullopt;
    const auto count = static_cast<std::int64_t>(axes->size());
    return plus(call.rank(0), type == "Squeeze" ? -count : count);
  }
  if (type == "Transpose" && call.has_attribute("perm")) {
    return static_cast<std::int64_t>(call.integers("perm", {}).size());
  }
  return call.rank(0);
}

}  // namespace lathe::compression::onnx_in

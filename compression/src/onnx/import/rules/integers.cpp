#include "onnx/import/rules/integers.hpp"

#include <algorithm>
#include <optional>

#include <ATen/Functions.h>
#include <fmt/format.h>

namespace lathe::compression::onnx_in {
namespace {

/// Nothing where the result is no number: what overflows or divides by zero stays an expression.
std::optional<std::int64_t> computed(std::int64_t a, const std::string& operation, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  if (operation == "+") overflow = __builtin_add_overflow(a, b, &result);
  if (operation == "-") overflow = __builtin_sub_overflow(a, b, &result);
  if (operation == "*") overflow = __builtin_mul_overflow(a, b, &result);
  if (operation == "max") result = std::max(a, b);
  if (operation == "min") result = std::min(a, b);
  if (operation == "//") {
    if (b == 0 || b == -1) return std::nullopt;
    result = a / b;
  }
  return overflow ? std::nullopt : std::optional(result);
}

std::string combined(const std::string& a, const std::string& operation, const std::string& b) {
  const auto left = literal_of(a);
  const auto right = literal_of(b);
  if (left && right) {
    if (const auto result = computed(*left, operation, *right)) return std::to_string(*result);
  }
  const bool changes_nothing =
      ((operation == "*" || operation == "//") && right == 1) || ((operation == "+" || operation == "-") && right == 0);
  if (changes_nothing) return a;
  if ((operation == "*" && left == 1) || (operation == "+" && left == 0)) return b;
  if (operation == "max" || operation == "min") return fmt::format("{}({}, {})", operation, a, b);
  return fmt::format("({} {} {})", a, operation, b);
}

bool is_about_integers(const NodeCall& call, std::size_t first, std::size_t second) {
  return call.value(first).integers.has_value() || call.value(second).integers.has_value();
}

}  // namespace

bool combine_integers(NodeCall& call, const std::string& operation) {
  if (call.input_count() != 2 || !is_about_integers(call, 0, 1)) return false;
  const auto a = call.integer_codes(0);
  const auto b = call.integer_codes(1);
  if (!a || !b || a->empty() || b->empty() || (a->size() != b->size() && a->size() != 1 && b->size() != 1))
    return false;
  Strings result;
  for (std::size_t i = 0; i < std::max(a->size(), b->size()); ++i)
    result.push_back(combined(a->at(a->size() == 1 ? 0 : i), operation, b->at(b->size() == 1 ? 0 : i)));
  call.out_integers(result, call.rank(0) == 0 && call.rank(1) == 0);
  return true;
}

bool reduce_integers(NodeCall& call, const std::string& operation) {
  const Value& value = call.value(0);
  if (!value.integers || value.is_scalar || value.integers->empty()) return false;
  std::string all = value.integers->front();
  for (std::size_t i = 1; i < value.integers->size(); ++i) all = combined(all, operation, value.integers->at(i));
  call.out_integers({all}, call.integer("keepdims", 1) == 0);
  return true;
}

bool equal_integers(NodeCall& call) {
  if (!is_about_integers(call, 0, 1)) return false;
  const auto a = call.integer_codes(0);
  const auto b = call.integer_codes(1);
  if (!a || !b || a->size() != b->size()) return false;
  std::vector<std::int64_t> answers;
  for (std::size_t i = 0; i < a->size(); ++i) {
    const auto left = literal_of(a->at(i));
    const auto right = literal_of(b->at(i));
    const bool negative = (left && *left < 0) || (right && *right < 0);
    if (!(left && right) && !negative) return false;
    answers.push_back(left && left == right ? 1 : 0);
  }
  call.out_constant(at::tensor(answers, at::kLong).to(at::kBool));
  return true;
}

bool choose_integers(NodeCall& call) {
  const at::Tensor condition = call.constant(0);
  if (!condition.defined() || !is_about_integers(call, 1, 2)) return false;
  const auto yes = call.integer_codes(1);
  const auto no = call.integer_codes(2);
  const auto count = static_cast<std::size_t>(condition.numel());
  if (!yes || !no || condition.dim() != 1 || yes->size() != count || no->size() != count) return false;
  Strings chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const bool taken = condition[static_cast<std::int64_t>(i)].item().toBool();
    chosen.push_back(taken ? yes->at(i) : no->at(i));
  }
  call.out_integers(chosen, false);
  return true;
}

}  // namespace lathe::compression::onnx_in

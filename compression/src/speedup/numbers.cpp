#include "speedup/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace lathe::compression {
namespace {

using torch::jit::Node;

/// Floating point numbers that come from the data differ by rounding between the two models.
constexpr double kRounding = 1e-4;

bool gives_tensors(const Node* node) {
  return std::any_of(node->outputs().begin(), node->outputs().end(), [](const auto* output) {
    const auto& type = output->type();
    const auto list = type->template cast<c10::ListType>();
    return type->isSubtypeOf(*c10::TensorType::get()) ||
           (list && list->getElementType()->isSubtypeOf(*c10::TensorType::get()));
  });
}

c10::IValue numbers_in(const c10::IValue& value) {
  if (value.isInt() || value.isDouble() || value.isBool()) return value;
  if (value.isIntList()) return value.toIntVector();
  if (value.isDoubleList()) return value.toDoubleVector();
  return {};
}

/// `-1` in a list of sizes stays; other negative numbers count from the back.
c10::IValue with_count(const c10::IValue& given, const NewNumber& number) {
  if (given.isInt()) return given.toInt() < 0 ? -number.value : number.value;
  if (!given.isIntList() || !number.element) return given;
  auto list = given.toIntVector();
  auto& element = list.at(*number.element);
  if (element >= 0) element = number.value;
  return list;
}

bool close(double a, double b) {
  return a == b || std::abs(a - b) <= kRounding * std::max(std::abs(a), std::abs(b));
}

class Watcher {
 public:
  Watcher(const FlatGraph& flat, const ChannelTrace& trace, const Plan& plan)
      : flat_(flat), trace_(trace), plan_(plan) {}

  const Values* correct(const Node* node, const Values& inputs) {
    if (!is_watched(node)) return nullptr;
    if (next_ >= trace_.calls.size() || trace_.calls[next_].node != node)
      throw std::runtime_error(
          fmt::format("{}: the model takes another way once channels are gone", flat_.describe(node)));
    Values wanted = trace_.calls[next_].arguments;
    for (const auto& number : plan_.numbers[next_]) wanted[number.input] = with_count(wanted[number.input], number);
    const Values found = numbers_of_call(node, inputs);
    corrected_ = inputs;
    bool changed = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].isNone() || found[i].isNone()) continue;
      seen_.push_back({next_, i, found[i], wanted[i]});
      if (same_numbers(found[i], wanted[i])) continue;
      corrected_[i] = wanted[i];
      changed = true;
    }
    ++next_;
    return changed ? &corrected_ : nullptr;
  }

  /// The watched call that is about to run.
  [[nodiscard]] const SizedCall& current() const { return trace_.calls.at(next_ - 1); }

  [[nodiscard]] std::vector<SeenNumber> take() { return std::move(seen_); }

 private:
  const FlatGraph& flat_;
  const ChannelTrace& trace_;
  const Plan& plan_;
  std::size_t next_ = 0;
  Values corrected_;
  std::vector<SeenNumber> seen_;
};

}  // namespace

bool is_watched(const Node* node) {
  if (node->kind() == c10::prim::If || node->kind() == c10::prim::Loop) return true;
  return !std::string_view(node->kind().toQualString()).starts_with("prim::") && gives_tensors(node);
}

Values numbers_of_call(const Node* node, const Values& inputs) {
  const bool is_decision = node->kind() == c10::prim::If || node->kind() == c10::prim::Loop;
  Values numbers;
  for (std::size_t i = 0; i < (is_decision ? 1 : inputs.size()); ++i) numbers.push_back(numbers_in(inputs[i]));
  return numbers;
}

bool same_numbers(const c10::IValue& a, const c10::IValue& b) {
  if (a.isDouble() && b.isDouble()) return close(a.toDouble(), b.toDouble());
  if (a.isDoubleList() && b.isDoubleList()) {
    const auto left = a.toDoubleVector();
    const auto right = b.toDoubleVector();
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), close);
  }
  if (a.isIntList() && b.isIntList()) return a.toIntVector() == b.toIntVector();
  if (a.isInt() && b.isInt()) return a.toInt() == b.toInt();
  if (a.isBool() && b.isBool()) return a.toBool() == b.toBool();
  return a.isNone() && b.isNone();
}

std::vector<SeenNumber> watch_numbers(const FlatGraph& flat, const ChannelTrace& trace, const Plan& plan,
                                      const at::Tensor& input, const ShapeRun* shapes) {
  Watcher watcher(flat, trace, plan);
  const auto correct = [&](const Node* node, const Values& inputs) { return watcher.correct(node, inputs); };
  StandIn stand_in;
  if (shapes)
    stand_in = [&](const Node* node, const Values& inputs) -> std::optional<Values> {
      if (is_watched(node)) return shapes->outputs(watcher.current(), inputs);
      shapes->check(node, inputs);
      return std::nullopt;
    };
  (void)interpret(flat, shapes ? shape_of(input) : input, {}, correct, stand_in);
  return watcher.take();
}

}  // namespace lathe::compression

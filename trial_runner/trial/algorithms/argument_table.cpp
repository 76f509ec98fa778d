#include "algorithms/argument_table.hpp"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::trial {

bool NumberRange::contains(double value) const {
  const bool above = low_open ? value > low : value >= low;
  const bool below = high_open ? value < high : value <= high;
  return above && below;
}

std::string NumberRange::text() const {
  return fmt::format("a number x with {} {} x {} {}", low, low_open ? "<" : "<=", high_open ? "<" : "<=", high);
}

Result<void> ArgumentTable::read(const std::vector<std::pair<std::string, nlohmann::ordered_json>>& arguments) const {
  std::vector<std::string_view> known;
  for (const Argument& argument : arguments_) known.push_back(argument.name);
  for (const auto& [name, value] : arguments) {
    const Argument* found = nullptr;
    for (const Argument& argument : arguments_)
      if (argument.name == name) found = &argument;
    if (found == nullptr && known.empty())
      return fail(fmt::format("parameter::{}: {} has no arguments", name, algorithm_));
    if (found == nullptr) {
      return fail(
          fmt::format("parameter::{}: {} has no such argument; it has {}", name, algorithm_, fmt::join(known, ", ")));
    }
    if (!found->read(value)) {
      return fail(fmt::format("parameter::{} is {}; expected {}", name, value.dump(), found->expected));
    }
  }
  return {};
}

void ArgumentTable::counts(std::string_view name, std::vector<std::int64_t>& option, std::int64_t least) {
  const std::string expected = fmt::format("a list of integers from {} to {}", least, kMostCount);
  add(name, expected, [&option, least](const nlohmann::ordered_json& list) {
    if (!list.is_array()) return false;
    std::vector<std::int64_t> numbers;
    for (const auto& item : list) {
      const auto number = whole_number(item);
      if (!number || *number < least || *number > kMostCount) return false;
      numbers.push_back(*number);
    }
    option = std::move(numbers);
    return true;
  });
}

std::optional<bool> ArgumentTable::truth(const nlohmann::ordered_json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value == 0 || value == 1) return value == 1;
  return std::nullopt;
}

std::optional<std::int64_t> ArgumentTable::whole_number(const nlohmann::ordered_json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  constexpr double exact = 9007199254740992;  // 2^53: beyond, not every integer is a double
  if (std::trunc(number) != number || std::abs(number) > exact) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

void ArgumentTable::add(std::string_view name, std::string expected,
                        std::function<bool(const nlohmann::ordered_json&)> read) {
  arguments_.push_back({std::string(name), std::move(expected), std::move(read)});
}

}  // namespace lathe::trial

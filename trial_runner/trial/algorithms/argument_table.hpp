// Arguments of an algorithm (`parameter::NAME`), declared with their ranges and read into options.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "result.hpp"

namespace lathe::trial {

/// Of a number; open at the ends that say so.
struct NumberRange {
  double low = 0;
  double high = 1e12;
  bool low_open = false;
  bool high_open = false;

  [[nodiscard]] bool contains(double value) const;
  /// For messages: `a number x with 0 <= x < 1`.
  [[nodiscard]] std::string text() const;
};

/// One use: declare every argument, then read. What is declared refers to options that outlive the table.
class ArgumentTable {
 public:
  /// `algorithm` is for messages.
  explicit ArgumentTable(std::string algorithm) : algorithm_(std::move(algorithm)) {}

  template <class Number>
  void number(std::string_view name, Number& option, const NumberRange& range) {
    add(name, range.text(), [&option, range](const nlohmann::ordered_json& value) {
      const bool sound = value.is_number() && range.contains(value.get<double>());
      if (sound) option = value.get<double>();
      return sound;
    });
  }

  /// An integer; a float without fraction, as quniform draws them, is one too.
  template <class Integer>
  void count(std::string_view name, Integer& option, std::int64_t least, std::int64_t most = kMostCount) {
    add(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most),
        [&option, least, most](const nlohmann::ordered_json& value) {
          const auto integer = whole_number(value);
          const bool sound = integer && *integer >= least && *integer <= most;
          if (sound) assign(option, *integer);
          return sound;
        });
  }

  /// true, false, 1 or 0.
  template <class Flag>
  void flag(std::string_view name, Flag& option) {
    add(name, "true or false", [&option](const nlohmann::ordered_json& value) {
      const auto wanted = truth(value);
      if (wanted) option = *wanted;
      return wanted.has_value();
    });
  }

  /// true puts `value` into the option, false leaves it.
  template <class Value>
  void switched(std::string_view name, Value& option, Value value) {
    add(name, "true or false", [&option, value](const nlohmann::ordered_json& json) {
      const auto wanted = truth(json);
      if (wanted.value_or(false)) option = value;
      return wanted.has_value();
    });
  }

  /// An argument that was read beforehand.
  void known(std::string_view name) {
    add(name, {}, [](const nlohmann::ordered_json&) { return true; });
  }

  /// A list of integers.
  void counts(std::string_view name, std::vector<std::int64_t>& option, std::int64_t least);

  template <class Value>
  void choice(std::string_view name, Value& option, std::vector<std::pair<std::string_view, Value>> values) {
    std::string expected;
    for (const auto& [text, value] : values) expected += (expected.empty() ? "" : ", ") + std::string(text);
    add(name, expected, [&option, values = std::move(values)](const nlohmann::ordered_json& json) {
      for (const auto& [text, value] : values) {
        if (!json.is_string() || json.get_ref<const std::string&>() != text) continue;
        option = value;
        return true;
      }
      return false;
    });
  }

  /// Errors: an unknown name (the known ones are listed), a value out of its range.
  [[nodiscard]] Result<void> read(const std::vector<std::pair<std::string, nlohmann::ordered_json>>& arguments) const;

  static constexpr std::int64_t kMostCount = 1'000'000;

 private:
  struct Argument {
    std::string name;
    std::string expected;
    std::function<bool(const nlohmann::ordered_json&)> read;  ///< false: the value is not what is expected
  };

  template <class Integer>
  static void assign(Integer& option, std::int64_t value) {
    if constexpr (requires { option.emplace(value); }) {
      option.emplace(value);
    } else {
      option = static_cast<Integer>(value);
    }
  }
  static std::optional<bool> truth(const nlohmann::ordered_json& value);
  static std::optional<std::int64_t> whole_number(const nlohmann::ordered_json& value);
  void add(std::string_view name, std::string expected, std::function<bool(const nlohmann::ordered_json&)> read);

  std::string algorithm_;
  std::vector<Argument> arguments_;
};

}  // namespace lathe::trial

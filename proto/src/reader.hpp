// Typed reading of values and of the fields of an object. Whatever does not fit is noted in Problems, and reading goes
// on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "key_matching.hpp"
#include "problems.hpp"
#include "value.hpp"

namespace lathe::proto {

/// Both ends belong to it.
struct IntegerRange {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
};

/// Finite numbers between two ends, each of which may be left out.
struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool excludes_low = false;
  bool excludes_high = false;
};

inline constexpr NumberRange positive_number{.low = 0, .excludes_low = true};
inline constexpr NumberRange non_negative_number{.low = 0};

template <class T>
struct NamedValue {
  std::string_view name;
  T value;
};

/// The names of an enumeration, as they are written in a config.
template <class T, std::size_t N>
using NameTable = std::array<NamedValue<T>, N>;

template <class T, std::size_t N>
constexpr std::array<std::string_view, N> names_of(const NameTable<T, N>& table) {
  std::array<std::string_view, N> names{};
  for (std::size_t i = 0; i < N; ++i) names[i] = table[i].name;
  return names;
}

template <class T, std::size_t N>
constexpr std::string_view name_of(const NameTable<T, N>& table, T value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return {};
}

/// A float with an integral value (1e3) counts as an integer.
[[nodiscard]] std::optional<std::int64_t> read_integer(const Value& value, IntegerRange range, Problems& problems);
[[nodiscard]] std::optional<std::uint64_t> read_seed(const Value& value, Problems& problems);
[[nodiscard]] std::optional<double> read_number(const Value& value, NumberRange range, Problems& problems);
[[nodiscard]] std::optional<bool> read_bool(const Value& value, Problems& problems);
/// Not empty, not white space alone, without NUL.
[[nodiscard]] std::optional<std::string> read_text(const Value& value, Problems& problems);
/// Index of the name that is meant, ignoring case and underscores.
[[nodiscard]] std::optional<std::size_t> read_name(const Value& value, std::span<const std::string_view> names,
                                                   Problems& problems);
/// Notes every number in `value` that JSON cannot write (NaN, infinities).
void require_finite(const Value& value, Problems& problems);

/// The fields of one object. Keys match ignoring case and underscores; null is the same as absent.
class Fields {
 public:
  /// Notes a value that is no object, unknown keys (with the nearest known one) and keys given in two spellings.
  /// `known` holds the canonical spellings and must outlive this object.
  Fields(const Value& object, std::span<const std::string_view> known, Problems& problems);

  /// False: the value was no object, which has been noted.
  [[nodiscard]] bool is_object() const { return is_object_; }
  [[nodiscard]] const Value& object() const { return object_; }

  [[nodiscard]] std::optional<Value> find(std::string_view key) const;
  /// As find(), but null is a value of its own.
  [[nodiscard]] std::optional<Value> find_even_null(std::string_view key) const;
  /// Notes the absence as `required: <what>`.
  [[nodiscard]] std::optional<Value> require(std::string_view key, std::string_view what);

  /// Each of these leaves the target alone when the field is absent or wrong. A target may be optional<T>.
  template <class Target>
  void integer(std::string_view key, Target& target, IntegerRange range = {}) {
    if (const auto value = find(key)) assign(target, read_integer(*value, range, *problems_));
  }
  template <class Target>
  void number(std::string_view key, Target& target, NumberRange range = {}) {
    if (const auto value = find(key)) assign(target, read_number(*value, range, *problems_));
  }
  template <class Target>
  void seed(std::string_view key, Target& target) {
    if (const auto value = find(key)) assign(target, read_seed(*value, *problems_));
  }
  template <class Target>
  void boolean(std::string_view key, Target& target) {
    if (const auto value = find(key)) assign(target, read_bool(*value, *problems_));
  }
  template <class Target>
  void text(std::string_view key, Target& target) {
    if (const auto value = find(key)) assign(target, read_text(*value, *problems_));
  }
  template <class Target, class T, std::size_t N>
  void name(std::string_view key, Target& target, const NameTable<T, N>& table) {
    const auto value = find(key);
    if (!value) return;
    const auto names = names_of(table);
    if (const auto index = read_name(*value, names, *problems_)) target = table[*index].value;
  }

 private:
  template <class Target, class T>
  static void assign(Target& target, const std::optional<T>& value) {
    if (value) target = *value;
  }

  void adopt(const Member& member, std::span<const std::string_view> known);

  Value object_;
  Problems* problems_;
  bool is_object_ = false;
  std::map<std::string, std::string_view> by_normalized_key_;
  std::map<std::string_view, Value> fields_;
};

}  // namespace lathe::proto

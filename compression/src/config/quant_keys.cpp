#include <algorithm>
#include <array>

#include <lathe/compression/quantizer_rules.hpp>

#include "config/entry_keys.hpp"

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kTypes{QuantType::Weight, QuantType::Input, QuantType::Output};

template <class T>
struct Named {
  std::string_view name;
  T value;
};

constexpr std::array kDtypes{Named<QuantDtype>{"int", QuantDtype::Int}, Named<QuantDtype>{"uint", QuantDtype::Uint}};
constexpr std::array kSchemes{Named<QuantScheme>{"per_tensor_affine", QuantScheme::PerTensorAffine},
                              Named<QuantScheme>{"per_tensor_symmetric", QuantScheme::PerTensorSymmetric},
                              Named<QuantScheme>{"per_channel_affine", QuantScheme::PerChannelAffine},
                              Named<QuantScheme>{"per_channel_symmetric", QuantScheme::PerChannelSymmetric}};

std::optional<QuantType> find_type(std::string_view name) {
  for (const QuantType type : kTypes) {
    if (name_of(type) == name) return type;
  }
  return std::nullopt;
}

template <class Table>
auto find_named(const Table& table, const Json& json) -> std::optional<decltype(table.front().value)> {
  for (const auto& named : table) {
    if (json.is_string() && json.get_ref<const std::string&>() == named.name) return named.value;
  }
  return std::nullopt;
}

std::optional<int> find_bits(const Json& json) {
  if (!json.is_number_integer()) return std::nullopt;
  const double bits = json.get<double>();
  if (!(bits > 0 && bits < 32)) return std::nullopt;
  return static_cast<int>(bits);
}

std::optional<QuantDtype> find_dtype(const Json& json) {
  return find_named(kDtypes, json);
}

std::optional<QuantScheme> find_scheme(const Json& json) {
  return find_named(kSchemes, json);
}

Result<void> read_types(const EntryField& field, ConfigEntry& entry) {
  constexpr auto what = "a list of weight, input, output";
  if (!field.value.is_array() || field.value.empty()) return field.expected(what);
  for (const Json& item : field.value) {
    const auto type = item.is_string() ? find_type(item.get_ref<const std::string&>()) : std::nullopt;
    if (!type) return field.expected(what);
    auto& types = entry.quant.types;
    if (std::find(types.begin(), types.end(), *type) == types.end()) types.push_back(*type);
  }
  return {};
}

/// One value for all types, or an object of values by type.
template <class T>
Result<void> read_per_type(const EntryField& field, std::optional<T> (*find)(const Json&), PerQuantType<T>& settings,
                           std::string_view one) {
  const auto what = fmt::format("{}, or an object of such by weight, input, output", one);
  if (const auto value = find(field.value)) {
    settings.fill(*value);
    return {};
  }
  if (!field.value.is_object() || field.value.empty()) return field.expected(what);
  for (const auto& [name, json] : field.value.items()) {
    const auto type = find_type(name);
    const auto value = find(json);
    if (!type || !value) return field.expected(what);
    settings[static_cast<std::size_t>(*type)] = *value;
  }
  return {};
}

Result<void> read_bits(const EntryField& field, ConfigEntry& entry) {
  return read_per_type<int>(field, find_bits, entry.quant.bits, "an integer b with 0 < b < 32");
}

Result<void> read_dtype(const EntryField& field, ConfigEntry& entry) {
  return read_per_type<QuantDtype>(field, find_dtype, entry.quant.dtype, "int or uint");
}

Result<void> read_scheme(const EntryField& field, ConfigEntry& entry) {
  return read_per_type<QuantScheme>(
      field, find_scheme, entry.quant.scheme,
      "per_tensor_affine, per_tensor_symmetric, per_channel_affine or per_channel_symmetric");
}

Result<void> read_start_step(const EntryField& field, ConfigEntry& entry) {
  constexpr double most = 1e12;
  const double step = field.value.is_number_integer() ? field.value.get<double>() : -1;
  if (!(step >= 0 && step <= most)) return field.expected("an integer from 0 to 1e12");
  entry.quant.start_step = static_cast<std::int64_t>(step);
  return {};
}

}  // namespace

std::span<const EntryKey> quant_keys() {
  constexpr KeyFamilies of_quantizers = family(EntryKeys::Quantizer);
  static constexpr std::array keys{
      EntryKey{"quant_types", of_quantizers, "quantizers", read_types},
      EntryKey{"quant_bits", of_quantizers, "quantizers", read_bits},
      EntryKey{"quant_dtype", of_quantizers, "quantizers", read_dtype},
      EntryKey{"quant_scheme", of_quantizers, "quantizers", read_scheme},
      EntryKey{"quant_start_step", of_quantizers, "quantizers", read_start_step},
  };
  return keys;
}

std::string_view name_of(QuantType type) {
  switch (type) {
    case QuantType::Weight:
      return "weight";
    case QuantType::Input:
      return "input";
    case QuantType::Output:
      break;
  }
  return "output";
}

}  // namespace lathe::compression

#include <array>

#include "config/entry_keys.hpp"

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

bool is_name(const Json& json) {
  return json.is_string() && !json.get_ref<const std::string&>().empty();
}

template <auto Member>
Result<void> read_names(const EntryField& field, ConfigEntry& entry) {
  constexpr auto what = "a list of one or more strings";
  if (!field.value.is_array() || field.value.empty()) return field.expected(what);
  Names names;
  for (const Json& item : field.value) {
    if (!is_name(item)) return field.expected(what);
    names.push_back(item.get<std::string>());
  }
  entry.*Member = std::move(names);
  return {};
}

Result<void> read_op_name(const EntryField& field, ConfigEntry& entry) {
  if (!is_name(field.value)) return field.expected("the name of one layer");
  entry.op_names = Names{field.value.get<std::string>()};
  return {};
}

/// A search space has no booleans, hence the numbers.
Result<void> read_exclude(const EntryField& field, ConfigEntry& entry) {
  const bool yes = field.value == true || field.value == 1;
  if (!yes && field.value != false && field.value != 0) return field.expected("true or false (or 1 or 0)");
  entry.exclude = yes;
  return {};
}

constexpr KeyFamilies kAll = ~0U;

}  // namespace

std::span<const EntryKey> selector_keys() {
  static constexpr std::array keys{
      EntryKey{"op_types", kAll, "", read_names<&ConfigEntry::op_types>},
      EntryKey{"op_names", kAll, "", read_names<&ConfigEntry::op_names>},
      EntryKey{"op_name", kAll, "", read_op_name},
      EntryKey{"op_partial_names", kAll, "", read_names<&ConfigEntry::op_partial_names>},
      EntryKey{"exclude", kAll, "", read_exclude},
  };
  return keys;
}

}  // namespace lathe::compression

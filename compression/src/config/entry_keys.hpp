// The keys that an entry of a config_list can hold, who has a use for each, and how each is read.
#pragma once

#include <span>
#include <string_view>

#include "config/entry_field.hpp"

namespace lathe::compression {

/// A set of EntryKeys, one bit each.
using KeyFamilies = unsigned;

[[nodiscard]] constexpr KeyFamilies family(EntryKeys keys) {
  return 1U << static_cast<unsigned>(keys);
}

struct EntryKey {
  std::string_view name;
  KeyFamilies families;    ///< those that may hold it
  std::string_view owner;  ///< whose key it is, for messages
  EntryReader read;
};

[[nodiscard]] std::span<const EntryKey> selector_keys();
[[nodiscard]] std::span<const EntryKey> sparsity_keys();
[[nodiscard]] std::span<const EntryKey> quant_keys();

}  // namespace lathe::compression

// One key of a config_list entry while it is read.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include <lathe/compression/config_list.hpp>

namespace lathe::compression {

/// A key, its value, and the entry it is in: all that a reader needs to read it or to say why not.
struct EntryField {
  const std::string& label;
  const std::string& key;
  const nlohmann::ordered_json& value;

  [[nodiscard]] tl::unexpected<Error> expected(std::string_view what) const {
    return fail(fmt::format("{}: {} is {}; expected {}", label, key, value.dump(), what));
  }
};

using EntryReader = Result<void> (*)(const EntryField&, ConfigEntry&);

}  // namespace lathe::compression

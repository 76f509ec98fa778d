// Which entry of a config_list a layer belongs to, and which entries belong to none.
#pragma once

#include <string>
#include <vector>

#include <lathe/compression/config_list.hpp>

namespace lathe::compression {

/// The last entry that matches; nullptr when none does.
[[nodiscard]] const ConfigEntry* last_match(const std::vector<ConfigEntry>& entries, const Layer& layer,
                                            const std::vector<std::string>& default_types);

/// One sentence for each name, part of a name and entry that no layer answers to: most likely typing errors.
[[nodiscard]] std::vector<std::string> unmatched_warnings(const std::vector<ConfigEntry>& entries,
                                                          const std::vector<Layer>& layers,
                                                          const std::vector<std::string>& default_types);

/// The error when nothing is selected; lists what there is.
[[nodiscard]] Error nothing_selected(const std::vector<Layer>& layers, const std::vector<std::string>& warnings);

}  // namespace lathe::compression

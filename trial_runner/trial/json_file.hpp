// Small JSON files, read and written whole.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "result.hpp"

namespace lathe::trial {

[[nodiscard]] Result<std::string> read_text(const std::filesystem::path& file);

/// Errors name the file and the place where it stops being JSON.
[[nodiscard]] Result<nlohmann::ordered_json> read_json(const std::filesystem::path& file);

/// Through a temporary file and a rename, so that a reader never sees half of it.
[[nodiscard]] Result<void> write_json(const std::filesystem::path& file, const nlohmann::ordered_json& json);

}  // namespace lathe::trial

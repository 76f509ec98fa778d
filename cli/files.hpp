// Files that the user names on the command line.
#pragma once

#include <filesystem>
#include <istream>
#include <string>

#include "outcome.hpp"

namespace lathe::cli {

/// The whole file; `-` reads `standard_input`. Failures name the file and the reason.
[[nodiscard]] Outcome<std::string> read_file(const std::filesystem::path& path, std::istream& standard_input);

/// The folder a config's relative paths are meant from: that of the file, or the current one for `-`.
[[nodiscard]] Outcome<std::string> folder_of(const std::filesystem::path& path);

}  // namespace lathe::cli

// Where the daemon's log goes.
#pragma once

#include <filesystem>
#include <string>

namespace lathe::manager {

/// Sends spdlog's default logger to stderr and to `file`, which is renamed to file.1, file.2, … when it has 10 MiB.
/// `level`: debug, info, warn or error. Throws spdlog::spdlog_ex when the file cannot be written.
void set_up_logging(const std::filesystem::path& file, const std::string& level);

}  // namespace lathe::manager

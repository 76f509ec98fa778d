// Running on after the starting process has gone, without keeping it in the dark about how the start went.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace lathe::agent {

/// Tells the starting process how the start went: it prints the message, if any, and exits with the code.
using ReportStart = std::function<void(int exit_code, const std::string& message)>;

/// Runs `serve` in a process of its own session, detached from terminal and parent, with stdout and stderr appended to
/// `log_file`. In the starting process this returns the code that `serve` reported, at once when it is reported (1 when
/// it ended without a word); in the detached one, what `serve` returns.
int run_detached(const std::filesystem::path& log_file, const std::function<int(const ReportStart&)>& serve);

}  // namespace lathe::agent

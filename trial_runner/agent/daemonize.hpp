// Running on after the starting process has gone, without keeping it in the dark about how the start went.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace lathe::agent {

/// How the start went: the exit code of the starting process, and why, if there is anything to say.
struct StartReport {
  int exit_code = 0;
  std::string message;
};
/// Tells the starting process.
using ReportStart = std::function<void(const StartReport& report)>;

/// Runs `serve` in a process of its own session, detached from terminal and parent, with stdout and stderr appended to
/// `log_file`; that process exits with what `serve` returns. In the starting process this returns what `serve`
/// reported, at once when it is reported (exit code 1 when it ended without a word).
[[nodiscard]] StartReport run_detached(const std::filesystem::path& log_file,
                                       const std::function<int(const ReportStart&)>& serve);

}  // namespace lathe::agent

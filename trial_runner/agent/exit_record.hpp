// How a trial's command ended, in a file of its own: written by the trial's keeper as its last act, so that an agent
// that was not there reads the truth.
//
// The file has one size from its making on (a full disk cannot keep the end from being written), and one line padded
// with blanks: "running", "exit CODE", "signal NUMBER" or "launch STEP ERRNO". Its 48 bytes are written at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <variant>

#include <lathe/proto/result.hpp>
#include <lathe/proto/warm_start.hpp>

#include "descriptor.hpp"

namespace lathe::agent {

struct ExitCode {
  int code = 0;
  friend bool operator==(const ExitCode&, const ExitCode&) = default;
};
struct EndingSignal {
  int number = 0;
  friend bool operator==(const EndingSignal&, const EndingSignal&) = default;
};
using ExitRecord = std::variant<ExitCode, EndingSignal, proto::LaunchReport>;

/// Makes the file, which must not be there yet, and says "running" in it. Errors name it.
[[nodiscard]] proto::Result<Descriptor> make_exit_record(const std::filesystem::path& file);

/// Safe behind a fork.
void write_exit_record(int file, const ExitRecord& record);

/// nullopt: it still says "running", is damaged or missing.
[[nodiscard]] std::optional<ExitRecord> read_exit_record(const std::filesystem::path& file);
[[nodiscard]] std::optional<ExitRecord> parse_exit_record(std::string_view text);

}  // namespace lathe::agent

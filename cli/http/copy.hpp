// Answers that are copied to where the user wants them, piece by piece: they may be larger than memory.
#pragma once

#include <iosfwd>
#include <string>

#include "http/client.hpp"
#include "outcome.hpp"

namespace lathe::cli {

[[nodiscard]] Outcome<ExitCode> copy_answer(ResponseStream& from, std::ostream& to);

/// The file gets its name only when it is whole.
[[nodiscard]] Outcome<ExitCode> copy_answer_to_file(ResponseStream& from, const std::string& filename);

}  // namespace lathe::cli

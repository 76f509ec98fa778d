// `lathed token ls|add|rm`: the tokens of a data folder, whether or not a daemon runs there.
#pragma once

#include <ostream>

namespace lathe::manager {

/// `argv[0]` is the word `token`. Returns the exit code: 0, 1 when it was refused (told on `err`), 2 for wrong usage.
[[nodiscard]] int run_token_command(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace lathe::manager

// lathectl as a function: words in, exit code out.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "context.hpp"
#include "token.hpp"

namespace lathe::cli {

/// What the program is run with; main() fills it from the process, tests from strings.
struct Surroundings {
  Screen out;
  Screen err;
  std::istream& in;
  bool in_is_terminal = false;
  std::string default_url = "http://127.0.0.1:8080";
  std::string default_ca_file{};  ///< empty: the system's authorities
  TokenSources tokens{};
};

/// Runs `lathectl arguments…` and returns what the process shall exit with (see ExitCode).
[[nodiscard]] int run(const std::vector<std::string>& arguments, Surroundings surroundings);

}  // namespace lathe::cli

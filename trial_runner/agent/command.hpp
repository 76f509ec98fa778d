// A command to run, and the shell that runs it.
#pragma once

#include <map>
#include <string>

#include "descriptor.hpp"

namespace lathe::agent {

/// What to run, and with what.
struct Command {
  std::string shell;  ///< absolute path; run as `shell -c text`
  std::string text;
  std::map<std::string, std::string> environment;  ///< added to ours
  Descriptor working_directory;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor standard_input{};  ///< not open: /dev/null
};

/// bash from PATH or the usual places, else /bin/sh.
[[nodiscard]] std::string find_shell();

}  // namespace lathe::agent

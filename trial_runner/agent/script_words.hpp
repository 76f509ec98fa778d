// What the scripts that run a trial's command elsewhere are put together of.
#pragma once

#include <map>
#include <string>

namespace lathe::agent {

/// Variables of a trial as bash has to be given them.
struct ScriptVariables {
  std::string exports;  ///< `export NAME=VALUE` lines
  std::string command;  ///< ` env -- 'NAME=VALUE' …` for those that bash cannot export; empty: it can export all
};

/// Names and values without NUL, no '=' in a name.
[[nodiscard]] ScriptVariables script_variables(const std::map<std::string, std::string>& environment);

/// Fit for a comment: on one line.
[[nodiscard]] std::string comment_text(std::string text);

}  // namespace lathe::agent

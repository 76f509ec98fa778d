#include "script_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "program_run.hpp"

namespace lathe::agent {
namespace {

/// Bash refuses to assign these.
constexpr std::array<std::string_view, 7> read_only{"BASHOPTS", "BASH_VERSINFO", "EUID", "GROUPS",
                                                    "PPID",     "SHELLOPTS",     "UID"};

bool can_be_exported(std::string_view name) {
  const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), is_word) &&
         std::find(read_only.begin(), read_only.end(), name) == read_only.end();
}

}  // namespace

ScriptVariables script_variables(const std::map<std::string, std::string>& environment) {
  ScriptVariables variables;
  for (const auto& [name, value] : environment) {
    if (can_be_exported(name)) {
      variables.exports += fmt::format("export {}={}\n", name, shell_quoted(value));
    } else {
      variables.command += " " + shell_quoted(name + "=" + value);
    }
  }
  if (!variables.command.empty()) variables.command = " env --" + variables.command;
  return variables;
}

std::string comment_text(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return text;
}

}  // namespace lathe::agent

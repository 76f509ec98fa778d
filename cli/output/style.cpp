#include "output/style.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <unistd.h>

namespace lathe::cli {
namespace {

std::string_view sequence_of(Style style) {
  switch (style) {
    case Style::Plain:
      return "";
    case Style::Bold:
      return "\x1b[1m";
    case Style::Dim:
      return "\x1b[2m";
    case Style::Good:
      return "\x1b[32m";
    case Style::Bad:
      return "\x1b[31m";
    case Style::Busy:
      return "\x1b[36m";
  }
  return "";
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

using StatusStyle = std::pair<std::string_view, Style>;
constexpr std::array status_styles{StatusStyle{"RUNNING", Style::Busy},
                                   StatusStyle{"NO_MORE_TRIAL", Style::Busy},
                                   StatusStyle{"TUNER_NO_MORE_TRIAL", Style::Busy},
                                   StatusStyle{"INITIALIZED", Style::Busy},
                                   StatusStyle{"DONE", Style::Good},
                                   StatusStyle{"SUCCEEDED", Style::Good},
                                   StatusStyle{"ERROR", Style::Bad},
                                   StatusStyle{"FAILED", Style::Bad},
                                   StatusStyle{"WAITING", Style::Dim},
                                   StatusStyle{"STOPPED", Style::Dim},
                                   StatusStyle{"USER_CANCELED", Style::Dim},
                                   StatusStyle{"SYS_CANCELED", Style::Dim},
                                   StatusStyle{"EARLY_STOPPED", Style::Dim}};

}  // namespace

std::string Palette::paint(std::string_view text, Style style) const {
  if (!colours_ || style == Style::Plain || text.empty()) return std::string(text);
  return std::string(sequence_of(style)) + std::string(text) + "\x1b[0m";
}

bool wants_colours(int fd) {
  return ::isatty(fd) == 1 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

Style style_of_status(std::string_view status) {
  for (const auto& [name, style] : status_styles) {
    if (name == status) return style;
  }
  return Style::Plain;
}

}  // namespace lathe::cli

// Colours, which exist only on a terminal that wants them.
#pragma once

#include <string>
#include <string_view>

namespace lathe::cli {

enum class Style { Plain, Bold, Dim, Good, Bad, Busy };

/// Wraps text in ANSI sequences, or leaves it alone. A value; copy it freely.
class Palette {
 public:
  explicit Palette(bool colours = false) : colours_(colours) {}
  [[nodiscard]] std::string paint(std::string_view text, Style style) const;
  [[nodiscard]] bool colours() const { return colours_; }

 private:
  bool colours_;
};

/// Whether output to file descriptor `fd` is coloured: a terminal, TERM not `dumb`, NO_COLOR unset or empty.
[[nodiscard]] bool wants_colours(int fd);

/// The style that a status of an experiment or a trial is shown in.
[[nodiscard]] Style style_of_status(std::string_view status);

}  // namespace lathe::cli

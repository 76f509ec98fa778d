// Text that comes from elsewhere, made safe and measurable for a terminal. UTF-8 in, UTF-8 out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lathe::cli {

/// Which control characters survive escaping.
enum class Keep {
  Nothing,       ///< for one line of a table or a message
  LinesAndTabs,  ///< for logs
};

/// Makes control characters, ANSI sequences, direction overrides and bytes that are not UTF-8 visible (`\x1b`,
/// `\u202e`), so that no text of a trial can move the cursor, recolour or reorder what is on the screen.
[[nodiscard]] std::string escape(std::string_view text, Keep keep = Keep::Nothing);

/// Columns that `text` takes on a terminal: East Asian wide characters and emoji take two, combining marks none.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// `text` cut to at most `columns`, with `…` in the last one when something was cut off.
[[nodiscard]] std::string truncate(std::string_view text, std::size_t columns);

/// Escapes a stream that arrives in arbitrary pieces: a character cut in two waits for its rest.
class StreamEscaper {
 public:
  [[nodiscard]] std::string feed(std::string_view bytes);
  /// What still waits; call at the end of the stream.
  [[nodiscard]] std::string finish();

 private:
  std::string pending_;
};

}  // namespace lathe::cli

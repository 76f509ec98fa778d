// What every command is given: where the daemon is and where its output goes.
#pragma once

#include <cstddef>
#include <istream>
#include <ostream>

#include "http/client.hpp"
#include "output/style.hpp"

namespace lathe::cli {

enum class OutputFormat { ForPeople, ForPrograms };  ///< tables, or the daemon's JSON

/// One side of the output: a stream, and what is known of the terminal behind it.
struct Screen {
  std::ostream& stream;
  bool is_terminal = false;
  std::size_t width = 0;  ///< columns; 0: unlimited (not a terminal)
  Palette palette{};
  int descriptor = -1;  ///< of the terminal, to ask for its size again
};

struct Context {
  HttpClient client;
  OutputFormat format = OutputFormat::ForPeople;
  Screen out;
  Screen err;
  std::istream& in;
  bool in_is_terminal = false;

  [[nodiscard]] bool wants_json() const { return format == OutputFormat::ForPrograms; }
};

}  // namespace lathe::cli

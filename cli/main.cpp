#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "app.hpp"
#include "output/terminal.hpp"

namespace {

lathe::cli::Screen screen_on(std::ostream& stream, int descriptor) {
  const auto size = lathe::cli::terminal_size(descriptor);
  return {stream, lathe::cli::is_terminal(descriptor), size ? size->columns : 0,
          lathe::cli::Palette(lathe::cli::wants_colours(descriptor)), descriptor};
}

}  // namespace

int main(int argc, char** argv) {
  lathe::cli::Surroundings surroundings{screen_on(std::cout, STDOUT_FILENO), screen_on(std::cerr, STDERR_FILENO),
                                        std::cin, lathe::cli::is_terminal(STDIN_FILENO)};
  if (const char* url = std::getenv("LATHE_URL"); url != nullptr && *url != '\0') surroundings.default_url = url;
  if (const char* file = std::getenv("LATHE_CA_FILE"); file != nullptr) surroundings.default_ca_file = file;
  surroundings.tokens = lathe::cli::token_sources_of_process();
  return lathe::cli::run(std::vector<std::string>(argv + 1, argv + argc), surroundings);
}

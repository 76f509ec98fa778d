#include <iostream>
#include <string_view>
#include <variant>

#include "daemon/daemon.hpp"
#include "daemon/options.hpp"
#include "daemon/token_command.hpp"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "token")
    return lathe::manager::run_token_command(argc - 1, argv + 1, std::cout, std::cerr);
  const auto options = lathe::manager::parse_options(argc, argv);
  if (const int* exit_code = std::get_if<int>(&options)) return *exit_code;
  return static_cast<int>(lathe::manager::run_daemon(std::get<lathe::manager::DaemonOptions>(options)));
}

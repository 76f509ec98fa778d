#include <variant>

#include "daemon/daemon.hpp"
#include "daemon/options.hpp"

int main(int argc, char** argv) {
  const auto options = lathe::manager::parse_options(argc, argv);
  if (const int* exit_code = std::get_if<int>(&options)) return *exit_code;
  return static_cast<int>(lathe::manager::run_daemon(std::get<lathe::manager::DaemonOptions>(options)));
}

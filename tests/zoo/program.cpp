#include "program.hpp"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>

namespace lathe::zoo {

void run_program(int argc, char** argv, int (*run)(int, char**), int failed) {
  int code = failed;
  try {
    code = run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << std::filesystem::path(argv[0]).filename().string() << ": unexpected: " << error.what() << '\n';
  }
  std::cout.flush();
  std::fflush(stdout);
  _exit(code);
}

}  // namespace lathe::zoo

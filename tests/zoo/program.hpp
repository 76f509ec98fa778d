// The outermost frame of the programs over zoo models.
#pragma once

namespace lathe::zoo {

/// Ends the process with what `run` returns, once its output is out, and without LibTorch's static teardown, which is
/// of no use. An exception is told on stderr, after the program's name, and ends it with `failed`.
[[noreturn]] void run_program(int argc, char** argv, int (*run)(int, char**), int failed);

}  // namespace lathe::zoo

// The limit of this machine: `bash -c true` started N times by posix_spawn and waited for, K at a time, with nothing
// else around it. Prints starts a minute.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

bool start_one() {
  const char* const arguments[] = {"bash", "-c", "true", nullptr};
  pid_t pid = 0;
  return posix_spawnp(&pid, "bash", nullptr, nullptr, const_cast<char* const*>(arguments), environ) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int total = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int at_once = argc > 2 ? std::atoi(argv[2]) : 1;
  const auto begin = std::chrono::steady_clock::now();
  int started = 0;
  for (int ended = 0; ended < total; ++ended) {
    while (started < total && started - ended < at_once) {
      if (!start_one()) return 1;
      ++started;
    }
    if (wait(nullptr) < 0) return 1;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("%.0f\n", total / seconds.count() * 60);
  return 0;
}

// A trial that does nothing but append "start_ns end_ns" to the file named by its argument: the gap between one end and
// the next start is what a manager costs a slot.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace {

long long now_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

int main(int argc, char** argv) {
  const long long start = now_ns();
  if (argc != 2) return 2;
  const int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  char line[64];
  const int length = std::snprintf(line, sizeof line, "%lld %lld\n", start, now_ns());
  return write(file, line, static_cast<std::size_t>(length)) == length ? 0 : 1;
}

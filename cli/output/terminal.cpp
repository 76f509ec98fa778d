#include "output/terminal.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace lathe::cli {
namespace {

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l";  // alternate screen, cursor hidden
constexpr std::string_view leave_screen = "\x1b[?25h\x1b[?1049l";

}  // namespace

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return TerminalSize{size.ws_col, size.ws_row};
}

Signals::Signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&wanted, signal);
  pthread_sigmask(SIG_BLOCK, &wanted, &previous_);
  descriptor_ = ::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::~Signals() {
  while (take()) {
  }
  ::close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

std::optional<int> Signals::take() const {
  signalfd_siginfo info{};
  if (::read(descriptor_, &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

FullScreen::FullScreen() {
  ::tcgetattr(STDIN_FILENO, &previous_);
  termios raw = previous_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C stays a signal
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  write_all(enter_screen);
}

FullScreen::~FullScreen() {
  write_all(leave_screen);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &previous_);
}

}  // namespace lathe::cli

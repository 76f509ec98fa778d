// The terminal as a resource: its size, its modes, and the signals that end or resize what is drawn on it.
#pragma once

#include <csignal>
#include <cstddef>
#include <optional>

#include <termios.h>

namespace lathe::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t lines = 24;
};

[[nodiscard]] bool is_terminal(int fd);
/// nullopt when `fd` is not a terminal or does not know.
[[nodiscard]] std::optional<TerminalSize> terminal_size(int fd);

/// Turns SIGINT, SIGTERM, SIGHUP and SIGWINCH into a readable descriptor while it lives; afterwards they are what they
/// were.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// The next signal that has come, or nullopt; does not wait.
  [[nodiscard]] std::optional<int> take() const;

 private:
  int descriptor_;
  sigset_t previous_{};
};

/// A full screen of its own with keys read one by one, as editors have it. What was on the terminal comes back with the
/// end of its life. stdin and stdout must be terminals.
class FullScreen {
 public:
  FullScreen();
  ~FullScreen();
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

 private:
  termios previous_{};
};

}  // namespace lathe::cli

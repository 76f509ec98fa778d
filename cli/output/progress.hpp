// The progress of an experiment while somebody waits for it: one line redrawn in place on a terminal, otherwise a plain
// line whenever something has moved.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include "context.hpp"
#include "json.hpp"

namespace lathe::cli {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Progress(Screen screen) : screen_(screen) {}

  /// The newest state of the experiment.
  void update(Json experiment, Clock::time_point now);
  /// Redraws a terminal's line, for the clock on it. Does nothing elsewhere.
  void tick(Clock::time_point now);
  /// The terminal has another size now.
  void resize(std::size_t width) { screen_.width = width; }
  /// Says something on a line of its own.
  void note(const std::string& text);
  /// Takes the line away from a terminal; elsewhere writes the last state if it has not been told yet.
  void finish(Clock::time_point now);

  [[nodiscard]] const Json& experiment() const { return experiment_; }

 private:
  void redraw(Clock::time_point now);
  void write_plain(Clock::time_point now);
  void clear_line();

  Screen screen_;
  Json experiment_;
  Clock::time_point seen_{};
  Clock::time_point written_ = Clock::time_point::min();
  std::string last_plain_;
  bool line_shown_ = false;
};

/// `[██████░░░░] ` of `width` cells for a share in 0..1.
[[nodiscard]] std::string progress_bar(double share, std::size_t width);

}  // namespace lathe::cli

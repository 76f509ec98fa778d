#include "output/progress.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "output/experiment_view.hpp"
#include "output/format.hpp"
#include "output/text.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

constexpr std::size_t bar_width = 20;
constexpr std::chrono::seconds plain_interval{1};  ///< thousands of short trials must not become thousands of lines

double seconds_between(Progress::Clock::time_point from, Progress::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// What is known without a clock: `RUNNING 12/16 trials, 2 running, best 0.97 (trial x)`.
std::string state_text(const Json& experiment) {
  std::string text = fmt::format("{}  {}", text_of(experiment, "status"), count_text(experiment));
  if (const auto best = best_text(experiment); !best.empty()) text += ", best " + best;
  return escape(text);
}

std::string left_text(const Json& experiment, double age) {
  if (is_finished(text_of(experiment, "status"))) return {};
  const auto left = time_left(experiment, age);
  return left ? fmt::format(", about {} left", format_duration(std::round(*left))) : std::string{};
}

}  // namespace

std::string progress_bar(double share, std::size_t width) {
  const auto filled = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width)));
  std::string bar = "[";
  for (std::size_t i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  return bar + "] ";
}

void Progress::update(Json experiment, Clock::time_point now) {
  experiment_ = std::move(experiment);
  seen_ = now;
  tick(now);
  if (!screen_.is_terminal && (written_ == Clock::time_point::min() || now - written_ >= plain_interval))
    write_plain(now);
}

void Progress::tick(Clock::time_point now) {
  if (screen_.is_terminal && !experiment_.is_null()) redraw(now);
}

void Progress::redraw(Clock::time_point now) {
  const auto progress = progress_of(experiment_);
  std::string line = text_of(experiment_, "id").substr(0, 8) + " ";
  if (progress.limit && *progress.limit > 0) {
    line += progress_bar(static_cast<double>(progress.ended) / static_cast<double>(*progress.limit), bar_width);
  }
  const double age = is_finished(text_of(experiment_, "status")) ? 0 : seconds_between(seen_, now);
  const double has_run = number_of(experiment_, "runDuration").value_or(0) + age;
  line += state_text(experiment_) + ", " + format_duration(std::floor(has_run)) + left_text(experiment_, age);
  // The last column stays free: some terminals wrap as soon as it is written.
  if (screen_.width > 1) line = truncate(line, screen_.width - 1);
  screen_.stream << "\r\x1b[K" << line << std::flush;
  line_shown_ = true;
}

void Progress::write_plain(Clock::time_point now) {
  const std::string text = state_text(experiment_);
  if (text == last_plain_) return;
  screen_.stream << text << left_text(experiment_, seconds_between(seen_, now)) << std::endl;
  last_plain_ = text;
  written_ = now;
}

void Progress::clear_line() {
  if (std::exchange(line_shown_, false)) screen_.stream << "\r\x1b[K" << std::flush;
}

void Progress::note(const std::string& text) {
  clear_line();
  screen_.stream << escape(text) << std::endl;
}

void Progress::finish(Clock::time_point now) {
  clear_line();
  if (!experiment_.is_null() && !screen_.is_terminal) write_plain(now);
}

}  // namespace lathe::cli

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "api.hpp"
#include "commands/commands.hpp"
#include "http/socket.hpp"
#include "output/experiment_view.hpp"
#include "output/format.hpp"
#include "output/measures.hpp"
#include "output/progress.hpp"
#include "output/terminal.hpp"
#include "output/text.hpp"
#include "output/trial_view.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct TopOptions {
  std::string id;
  double seconds = 3;
};

/// One experiment on a screen of its own, fetched anew every few seconds.
class Monitor {
 public:
  Monitor(Context& context, std::string id, std::chrono::milliseconds interval)
      : client_(context.client),
        palette_(context.out.palette),
        path_(api_path({"experiments", id})),
        interval_(interval) {
    client_.wake_on(signals_.descriptor());
  }

  void run() {
    const FullScreen screen;
    auto next_fetch = Clock::now();
    while (true) {
      if (Clock::now() >= next_fetch) {
        fetch();
        next_fetch = Clock::now() + interval_;
      }
      draw();
      const auto woken = wait_for_descriptors(STDIN_FILENO, POLLIN, signals_.descriptor(), next_fetch);
      if (woken.second && asked_to_leave()) return;
      if (woken.first && key_leaves()) return;
    }
  }

 private:
  void fetch() {
    auto experiment = get(client_, path_);
    notice_ = experiment ? std::string{} : experiment.error().message;
    if (!experiment) return;
    experiment_ = *std::move(experiment);
    const auto rows = terminal_size(STDOUT_FILENO).value_or(TerminalSize{}).lines;
    auto trials = list(client_, path_ + "/trials", {{"sort", "-sequence"}},
                       static_cast<std::int64_t>(std::max<std::size_t>(rows, 1)));
    if (trials) trials_ = std::move(trials->items);
    if (!trials) notice_ = trials.error().message;
  }

  /// Overwrites the screen line by line instead of clearing it first, which would flicker.
  void draw() const {
    const auto size = terminal_size(STDOUT_FILENO).value_or(TerminalSize{});
    const std::string text = head(size.columns) + trial_table(trials_).draw(palette_, size.columns);
    std::string out = "\x1b[H";
    std::size_t line = 0;
    std::string_view rest = text;
    while (!rest.empty() && line + 1 < size.lines) {
      const auto end = rest.find('\n');
      out += std::string(rest.substr(0, end)) + "\x1b[K\r\n";
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      ++line;
    }
    out += "\x1b[J";
    while (!out.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, out.data(), out.size());
      if (written <= 0) return;
      out.erase(0, static_cast<std::size_t>(written));
    }
  }

  std::string head(std::size_t width) const {
    const auto line = [width](const std::string& text) { return truncate(escape(text), width) + "\n"; };
    const auto progress = progress_of(experiment_);
    const double elapsed = number_of(experiment_, "runDuration").value_or(0);
    std::string bar = progress.limit && *progress.limit > 0
                          ? progress_bar(static_cast<double>(progress.ended) / static_cast<double>(*progress.limit), 20)
                          : std::string{};
    std::string state = bar + count_text(experiment_) + ", has run " + format_duration(elapsed);
    if (const auto left = time_left(experiment_, 0); left && !is_finished(text_of(experiment_, "status"))) {
      state += ", about " + format_duration(*left) + " left";
    }
    std::string out = line(fmt::format("{}  {}  {}", text_of(experiment_, "id"), text_of(experiment_, "name"),
                                       text_of(experiment_, "status")));
    out += line(state);
    if (const auto best = best_text(experiment_); !best.empty()) out += line("best " + best);
    if (const auto original = measures_text(member(experiment_, "baseline")); !original.empty())
      out += line("original " + original);
    if (const auto error = text_of(experiment_, "error"); !error.empty()) out += line("error: " + error);
    if (!notice_.empty()) out += line(notice_);
    return out + line("q leaves") + "\n";
  }

  /// True when a signal that has come asks to leave; a new size only needs drawing again.
  [[nodiscard]] bool asked_to_leave() const {
    bool leave = false;
    while (const auto signal = signals_.take()) leave = leave || *signal != SIGWINCH;
    return leave;
  }

  [[nodiscard]] static bool key_leaves() {
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
  }

  Signals signals_;
  HttpClient client_;
  Palette palette_;
  std::string path_;
  std::chrono::milliseconds interval_;
  Json experiment_;
  std::vector<Json> trials_;
  std::string notice_;
};

Outcome<ExitCode> top(Context& context, const TopOptions& options) {
  if (!context.out.is_terminal || !context.in_is_terminal) {
    return fail("top needs a terminal; `lathectl experiment show` and `lathectl trial ls` print the same",
                ExitCode::Usage);
  }
  auto id = resolve_experiment(context.client, options.id);
  if (!id) return pass_on(id);
  Monitor(context, *id, std::chrono::milliseconds(static_cast<std::int64_t>(options.seconds * 1000))).run();
  return ExitCode::Ok;
}

}  // namespace

Action declare_top(CLI::App& app) {
  const auto options = std::make_shared<TopOptions>();
  add_experiment_argument(app, options->id);
  app.add_option("-t,--time", options->seconds, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  return [options](Context& context) { return top(context, *options); };
}

}  // namespace lathe::cli

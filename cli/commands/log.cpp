#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api.hpp"
#include "commands/commands.hpp"
#include "commands/trial_target.hpp"
#include "output/terminal.hpp"
#include "output/text.hpp"
#include "problem.hpp"

namespace lathe::cli {
namespace {

struct LogOptions {
  TrialWords words;
  std::string name = "stdout";
  std::optional<std::int64_t> tail;
  bool follow = false;
};

/// Log text goes out at once: escaped on a terminal, byte for byte into pipes and files.
class LogPrinter {
 public:
  explicit LogPrinter(Screen& screen) : screen_(screen) {}
  void print(const std::string& bytes) { write(screen_.is_terminal ? escaper_.feed(bytes) : bytes); }
  void finish() { write(escaper_.finish()); }

 private:
  void write(const std::string& text) { screen_.stream << text << std::flush; }

  Screen& screen_;
  StreamEscaper escaper_;
};

/// True when one of the signals that have come asks to leave.
bool asked_to_leave(const Signals& signals) {
  while (const auto signal = signals.take()) {
    if (*signal != SIGWINCH) return true;
  }
  return false;
}

Outcome<ExitCode> print_log(Context& context, const std::string& path, const LogOptions& options) {
  const Signals signals;
  HttpClient client = context.client;
  client.wake_on(signals.descriptor());
  const Query query{{"tail", options.tail ? std::to_string(*options.tail) : ""},
                    {"follow", options.follow ? "true" : ""}};
  auto stream = client.open({"GET", with_query(path, query), {}, {}, {}});
  if (!stream) return pass_on(stream);
  if (stream->status() >= 400) return tl::unexpected<Failure>(failure_of_stream(*stream));
  LogPrinter printer(context.out);
  const auto forever = std::chrono::steady_clock::time_point::max();
  while (true) {
    std::string bytes;
    const ReadEnd end = stream->read(bytes, forever);
    printer.print(bytes);
    if (!context.out.stream) return fail("the log cannot be written");
    if (end == ReadEnd::Data) continue;
    if (end == ReadEnd::Interrupted && !asked_to_leave(signals)) continue;
    printer.finish();
    if (end == ReadEnd::Interrupted) return ExitCode::Interrupted;
    if (end == ReadEnd::Broken)
      return fail("the connection to lathed broke before the end of the log", ExitCode::Unreachable);
    return ExitCode::Ok;
  }
}

Outcome<ExitCode> print_trial_log(Context& context, const LogOptions& options) {
  auto target = resolve_target(context.client, options.words);
  if (!target) return pass_on(target);
  return print_log(context, target->path() + "/logs/" + options.name, options);
}

void add_log_options(CLI::App& app, LogOptions& options) {
  app.add_option("--tail", options.tail, "Only the last N lines")->check(CLI::NonNegativeNumber);
  app.add_flag("-f,--follow", options.follow, "Go on until it has ended");
}

}  // namespace

Action declare_log_trial(CLI::App& app) {
  const auto options = std::make_shared<LogOptions>();
  add_trial_arguments(app, options->words);
  auto* errors = app.add_flag_callback(
      "--stderr", [options] { options->name = "stderr"; }, "What it has written to stderr");
  app.add_flag_callback(
         "--trial-log", [options] { options->name = "trial.log"; }, "What the nni package has logged, prints included")
      ->excludes(errors);
  add_log_options(app, *options);
  return [options](Context& context) { return print_trial_log(context, *options); };
}

Action declare_log_stderr(CLI::App& app) {
  const auto options = std::make_shared<LogOptions>();
  options->name = "stderr";
  add_trial_arguments(app, options->words);
  add_log_options(app, *options);
  return [options](Context& context) { return print_trial_log(context, *options); };
}

Action declare_log_daemon(CLI::App& app) {
  const auto options = std::make_shared<LogOptions>();
  add_log_options(app, *options);
  return [options](Context& context) { return print_log(context, api_path({"log"}), *options); };
}

}  // namespace lathe::cli

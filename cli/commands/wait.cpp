#include "commands/wait.hpp"

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "api.hpp"
#include "commands/best_trials.hpp"
#include "commands/commands.hpp"
#include "http/event_stream.hpp"
#include "output/experiment_view.hpp"
#include "output/progress.hpp"
#include "output/terminal.hpp"
#include "output/text.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds tick_interval{1};
constexpr std::chrono::minutes patience{1};  ///< with a daemon that went away

/// Follows one experiment. Each step takes one item of the event stream and says whether that was the end.
class Waiter {
 public:
  Waiter(Context& context, std::string id)
      : id_(std::move(id)),
        client_(interruptible(context.client, signals_)),
        path_(api_path({"experiments", id_})),
        events_(client_, path_ + "/events", patience),
        screen_(context.err.descriptor),
        progress_(context.err),
        next_tick_(Clock::now() + tick_interval) {}

  /// The experiment in its final state; Interrupted as a failure when the user had enough.
  Outcome<Json> run() {
    while (true) {
      auto item = events_.next(next_tick_);
      if (!item) return stopped(std::move(item.error()));
      auto step = std::holds_alternative<ServerEvent>(*item) ? take(std::get<ServerEvent>(*item))
                                                             : take(std::get<StreamNotice>(*item));
      if (!step) return stopped(std::move(step.error()));
      if (is_finished(text_of(progress_.experiment(), "status"))) {
        progress_.finish(Clock::now());
        return progress_.experiment();
      }
    }
  }

 private:
  using Step = Outcome<std::monostate>;

  static HttpClient interruptible(HttpClient client, const Signals& signals) {
    client.wake_on(signals.descriptor());
    return client;
  }

  Step take(const ServerEvent& event) {
    if (event.kind == "reset") return refresh();
    Json data = Json::parse(event.data, nullptr, false);
    if (event.kind == "deleted") return fail(fmt::format("experiment {} was deleted", escape(id_)), ExitCode::NotDone);
    if (event.kind == "experiment" && data.is_object()) {
      stale_ = false;
      // Events carry the config only when it has changed.
      if (!data.contains("config")) data["config"] = member(progress_.experiment(), "config");
      progress_.update(std::move(data), Clock::now());
    } else if (event.kind == "trial") {
      stale_ = true;  // its counts come with the experiment's own event, or at the latest with the next tick
    }
    return Clock::now() < next_tick_ ? Step{} : tick();
  }

  Step take(StreamNotice notice) {
    switch (notice) {
      case StreamNotice::Connected:
        if (std::exchange(away_, false)) progress_.note("connected again");
        return refresh();
      case StreamNotice::Disconnected:
        if (!std::exchange(away_, true)) progress_.note("lost the connection to lathed, trying again");
        return {};
      case StreamNotice::TimedOut:
        return tick();
      case StreamNotice::Interrupted:
        return on_signal();
    }
    return {};
  }

  Step tick() {
    next_tick_ = Clock::now() + tick_interval;
    if (stale_ && !away_) return refresh();
    progress_.tick(Clock::now());
    return {};
  }

  Step refresh() {
    auto experiment = get(client_, path_);
    if (!experiment)
      return experiment.error().code == ExitCode::Failed ? Step(pass_on(experiment))
                                                         : after_lost_refresh(experiment.error());
    stale_ = false;
    progress_.update(*std::move(experiment), Clock::now());
    return {};
  }

  /// The event stream notices a lost daemon by itself; only Ctrl-C must not be overheard.
  Step after_lost_refresh(const Failure& failure) {
    stale_ = true;
    return failure.code == ExitCode::Interrupted ? on_signal() : Step{};
  }

  Step on_signal() {
    while (const auto signal = signals_.take()) {
      if (*signal == SIGWINCH) {
        if (const auto size = terminal_size(screen_)) progress_.resize(size->columns);
        continue;
      }
      return fail(
          fmt::format(
              "interrupted; experiment {0} goes on: `lathectl wait {0}` waits again, `lathectl stop {0}` ends it",
              escape(id_)),
          ExitCode::Interrupted);
    }
    return {};
  }

  Outcome<Json> stopped(Failure failure) {
    progress_.finish(Clock::now());
    return tl::unexpected<Failure>(std::move(failure));
  }

  std::string id_;
  Signals signals_;
  HttpClient client_;
  std::string path_;
  EventStream events_;
  int screen_;
  Progress progress_;
  Clock::time_point next_tick_;
  bool stale_ = false;
  bool away_ = false;
};

ExitCode verdict(const Json& experiment) {
  const bool good = text_of(experiment, "status") == "DONE" && progress_of(experiment).succeeded > 0;
  return good ? ExitCode::Ok : ExitCode::NotDone;
}

std::string headline(const Json& experiment) {
  std::string line = fmt::format("experiment {} is {}: {}", text_of(experiment, "id"), text_of(experiment, "status"),
                                 count_text(experiment));
  if (const auto error = text_of(experiment, "error"); !error.empty()) line += "; " + error;
  return escape(line);
}

}  // namespace

Outcome<ExitCode> wait_for_experiment(Context& context, const std::string& id) {
  auto experiment = Waiter(context, id).run();
  if (!experiment) return pass_on(experiment);
  if (context.wants_json()) {
    print_json(context, *experiment);
    return verdict(*experiment);
  }
  context.err.stream << headline(*experiment) << '\n';
  if (auto printed = print_best_trials(context, *experiment); !printed) return printed;
  return verdict(*experiment);
}

Action declare_wait(CLI::App& app) {
  const auto id = std::make_shared<std::string>();
  add_experiment_argument(app, *id);
  return [id](Context& context) -> Outcome<ExitCode> {
    auto experiment = resolve_experiment(context.client, *id);
    if (!experiment) return pass_on(experiment);
    return wait_for_experiment(context, *experiment);
  };
}

}  // namespace lathe::cli

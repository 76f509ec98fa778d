#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "api.hpp"
#include "commands/commands.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

/// `running` in words: what a drained daemon is still waiting for.
std::string running_text(const Json& state) {
  const auto running = integer_of(state, "runningTrials").value_or(0);
  if (running == 0) return "no trial runs";
  return running == 1 ? std::string("1 trial runs") : fmt::format("{} trials run", running);
}

Outcome<ExitCode> show_state(Context& context, const Outcome<Json>& state) {
  if (context.wants_json()) {
    print_json(context, *state);
    return ExitCode::Ok;
  }
  const bool draining = member(*state, "draining") == true;
  context.out.stream << fmt::format("lathed {}: {}, {}\n", escape(text_of(*state, "version")),
                                    draining ? "draining, starts nothing new" : "open", running_text(*state));
  return ExitCode::Ok;
}

Action call_daemon(std::string_view method, std::string target) {
  return [method, target = std::move(target)](Context& context) -> Outcome<ExitCode> {
    auto state = call(context.client, method, target);
    if (!state) return pass_on(state);
    return show_state(context, state);
  };
}

}  // namespace

Action declare_daemon_show(CLI::App&) {
  return call_daemon("GET", api_path({"daemon"}));
}

Action declare_daemon_drain(CLI::App&) {
  return call_daemon("PUT", api_path({"daemon", "drain"}));
}

Action declare_daemon_resume(CLI::App&) {
  return call_daemon("DELETE", api_path({"daemon", "drain"}));
}

}  // namespace lathe::cli

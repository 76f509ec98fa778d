#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "api.hpp"
#include "commands/commands.hpp"
#include "output/text.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

/// Posts `verb` to one experiment and tells the status that follows from it.
Outcome<ExitCode> post_verb(Context& context, const std::string& id, std::string_view verb) {
  auto experiment = call(context.client, "POST", api_path({"experiments", id, verb}));
  if (!experiment) return pass_on(experiment);
  if (context.wants_json()) {
    print_json(context, *experiment);
  } else {
    context.out.stream << fmt::format("{} {}\n", escape(id), escape(text_of(*experiment, "status")));
  }
  return ExitCode::Ok;
}

Outcome<ExitCode> stop_all(Context& context) {
  auto listing = list_experiments(context.client);
  if (!listing) return pass_on(listing);
  std::vector<Json> stopped;
  for (const Json& item : listing->items) {
    if (is_finished(text_of(item, "status"))) continue;
    auto experiment = call(context.client, "POST", api_path({"experiments", text_of(item, "id"), "stop"}));
    if (!experiment) return pass_on(experiment);
    stopped.push_back(*std::move(experiment));
  }
  if (context.wants_json()) {
    print_json(context, Listing{stopped, {}}.to_json());
    return ExitCode::Ok;
  }
  for (const Json& item : stopped)
    context.out.stream << fmt::format("{} {}\n", escape(text_of(item, "id")), escape(text_of(item, "status")));
  if (stopped.empty()) context.err.stream << "no experiment is running\n";
  return ExitCode::Ok;
}

struct StopOptions {
  std::string id;
  bool all = false;
};

}  // namespace

Action declare_stop(CLI::App& app) {
  const auto options = std::make_shared<StopOptions>();
  auto* all = app.add_flag("-a,--all", options->all, "Every experiment that is not finished");
  add_experiment_argument(app, options->id);
  all->excludes("ID");
  return [options](Context& context) -> Outcome<ExitCode> {
    if (options->all) return stop_all(context);
    auto id = resolve_experiment(context.client, options->id);
    if (!id) return pass_on(id);
    return post_verb(context, *id, "stop");
  };
}

Action declare_resume(CLI::App& app) {
  const auto given = std::make_shared<std::string>();
  app.add_option("ID", *given, "Experiment, or the start of its ID")->required();
  return [given](Context& context) -> Outcome<ExitCode> {
    auto id = resolve_experiment(context.client, *given);
    if (!id) return pass_on(id);
    return post_verb(context, *id, "resume");
  };
}

}  // namespace lathe::cli

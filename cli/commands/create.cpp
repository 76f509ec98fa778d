#include <memory>
#include <string>

#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/wait.hpp"
#include "files.hpp"
#include "output/text.hpp"
#include "problem.hpp"

namespace lathe::cli {
namespace {

struct Options {
  std::string config;
  bool wait = false;
};

/// The daemon parses the file: it alone knows every rule, and what is wrong comes back with lines.
Outcome<Json> submit(Context& context, const std::string& config) {
  auto text = read_file(config, context.in);
  if (!text) return pass_on(text);
  auto folder = folder_of(config);
  if (!folder) return pass_on(folder);
  const Request request{"POST",
                        with_query(api_path({"experiments"}), {{"directory", *folder}}),
                        *std::move(text),
                        "application/yaml",
                        {}};
  auto response = context.client.send(request);
  if (!response) return pass_on(response);
  if (response->status >= 400) return tl::unexpected<Failure>(failure_of(*response, config == "-" ? "stdin" : config));
  Json experiment = Json::parse(response->body, nullptr, false);
  if (text_of(experiment, "id").empty()) return fail("the daemon's answer names no experiment: is this lathed?");
  return experiment;
}

void announce(Context& context, const Json& experiment) {
  for (const Json& warning : member(experiment, "warnings")) {
    if (warning.is_string()) context.err.stream << "warning: " << escape(warning.get<std::string>()) << '\n';
  }
  const std::string id = escape(text_of(experiment, "id"));
  context.err.stream << fmt::format("experiment {0} was created; `lathectl top {0}` shows it live\n", id);
}

Outcome<ExitCode> create(Context& context, const Options& options) {
  auto experiment = submit(context, options.config);
  if (!experiment) return pass_on(experiment);
  if (!context.wants_json()) announce(context, *experiment);
  if (options.wait) return wait_for_experiment(context, text_of(*experiment, "id"));
  if (context.wants_json()) {
    print_json(context, *experiment);
  } else {
    context.out.stream << escape(text_of(*experiment, "id")) << '\n';
  }
  return ExitCode::Ok;
}

}  // namespace

Action declare_create(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("-c,--config", options->config,
                 "Configuration of the experiment, YAML or JSON; - reads standard input")
      ->required();
  app.add_flag("--wait", options->wait, "Show its progress, and its best trials when it has ended");
  return [options](Context& context) { return create(context, *options); };
}

}  // namespace lathe::cli

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "api.hpp"
#include "commands/commands.hpp"
#include "files.hpp"
#include "output/text.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

struct UpdateOptions {
  std::string id;
  std::string value;
};

Outcome<ExitCode> change(Context& context, const std::string& given, const char* key, const Json& value) {
  auto id = resolve_experiment(context.client, given);
  if (!id) return pass_on(id);
  auto experiment = call(context.client, "PATCH", api_path({"experiments", *id}), {{key, value}});
  if (!experiment) return pass_on(experiment);
  if (context.wants_json()) {
    print_json(context, *experiment);
  } else {
    context.out.stream << fmt::format("{} {}\n", escape(*id), escape(text_of(*experiment, "status")));
  }
  return ExitCode::Ok;
}

/// A whole number stays a number; `none` removes a limit; the daemon judges everything else.
Json value_of(const std::string& text) {
  if (text == "none") return nullptr;
  const Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_number_integer() ? parsed : Json(text);
}

Action declare_value(CLI::App& app, const char* key, const char* help) {
  const auto options = std::make_shared<UpdateOptions>();
  add_experiment_argument(app, options->id);
  app.add_option("-v,--value", options->value, help)->required();
  return [options, key](Context& context) { return change(context, options->id, key, value_of(options->value)); };
}

std::int64_t line_of(const std::string& text, std::size_t byte) {
  std::int64_t line = 1;
  for (std::size_t i = 0; i < byte && i < text.size(); ++i) line += text[i] == '\n' ? 1 : 0;
  return line;
}

Outcome<Json> read_search_space(Context& context, const std::string& filename) {
  auto text = read_file(filename, context.in);
  if (!text) return pass_on(text);
  try {
    return Json::parse(*text);
  } catch (const Json::parse_error& error) {
    return fail(fmt::format("{}:{}: not JSON", escape(filename), line_of(*text, error.byte)));
  }
}

}  // namespace

Action declare_update_concurrency(CLI::App& app) {
  return declare_value(app, "trialConcurrency", "Trials at once");
}

Action declare_update_duration(CLI::App& app) {
  return declare_value(app, "maxExperimentDuration", "Such as 90s, 30m, 2h or 1d, or seconds; none: no limit");
}

Action declare_update_trialnum(CLI::App& app) {
  return declare_value(app, "maxTrialNumber", "Trials in all; none: no limit");
}

Action declare_update_searchspace(CLI::App& app) {
  const auto options = std::make_shared<UpdateOptions>();
  add_experiment_argument(app, options->id);
  app.add_option("-f,--filename", options->value, "The new search space, JSON; - reads standard input")->required();
  return [options](Context& context) -> Outcome<ExitCode> {
    auto space = read_search_space(context, options->value);
    if (!space) return pass_on(space);
    return change(context, options->id, "searchSpace", *space);
  };
}

}  // namespace lathe::cli

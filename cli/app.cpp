#include "app.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

constexpr const char* description = "Talks to lathed, which finds the best way to compress a trained neural network.\n";

constexpr const char* footer =
    "First steps:\n"
    "  lathed &                                        start the daemon\n"
    "  lathectl create --config experiment.yml --wait  run an experiment to its end\n"
    "  lathectl top                                    watch one that runs\n"
    "  lathectl COMMAND --help                         options and examples of a command\n"
    "\n"
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no daemon answers,\n"
    "4 the experiment waited for did not end well, 130 interrupted.\n";

struct GlobalOptions {
  std::string url;
  std::string token_file;
  std::string ca_file;
  OutputFormat format = OutputFormat::ForPeople;
};

/// The parser with every command in it. Which one was called is told by its App.
struct Parser {
  CLI::App app{description, "lathectl"};
  GlobalOptions global;
  std::vector<std::pair<CLI::App*, Action>> actions;
};

void add_global_options(Parser& parser) {
  const std::map<std::string, OutputFormat> formats{{"table", OutputFormat::ForPeople},
                                                    {"json", OutputFormat::ForPrograms}};
  parser.app.add_option("--url", parser.global.url, "Where lathed is; also from the environment variable LATHE_URL")
      ->capture_default_str()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  parser.app
      .add_option("--token-file", parser.global.token_file,
                  "File of the token that lathed wants; also LATHE_TOKEN_FILE, or LATHE_TOKEN for the token itself. "
                  "Of a daemon of yours on this machine it is found without")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  parser.app
      .add_option("--ca-file", parser.global.ca_file,
                  "PEM file of the authority whose certificate an https lathed has; also LATHE_CA_FILE (default: the "
                  "system's)")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  parser.app.add_option("-o,--output", parser.global.format, "table, or json for the daemon's own words")
      ->transform(CLI::CheckedTransformer(formats))
      ->option_text("table|json")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  parser.app.set_version_flag("--version", "lathectl " LATHE_VERSION);
  parser.app.footer(footer);
  parser.app.require_subcommand(1);
}

void add_command(Parser& parser, const Command& command) {
  const auto space = command.path.find(' ');
  CLI::App* parent = &parser.app;
  if (space != std::string_view::npos) parent = parser.app.get_subcommand(std::string(command.path.substr(0, space)));
  const std::string name(space == std::string_view::npos ? command.path : command.path.substr(space + 1));
  CLI::App* app = parent->add_subcommand(name, std::string(command.summary));
  app->footer("Examples:\n" + std::string(command.examples));
  app->fallthrough();
  parser.actions.emplace_back(app, command.declare(*app));
}

void fill(Parser& parser) {
  add_global_options(parser);
  for (const CommandGroup& group : command_groups()) {
    parser.app.add_subcommand(std::string(group.name), std::string(group.summary))
        ->require_subcommand(1)
        ->fallthrough();
  }
  for (const Command& command : commands()) add_command(parser, command);
}

int to_int(ExitCode code) {
  return static_cast<int>(code);
}

Outcome<Credentials> find_credentials(const GlobalOptions& global, const Surroundings& around, const BaseUrl& url) {
  TokenSources sources = around.tokens;
  sources.file = global.token_file;
  auto token = find_token(sources, url);
  if (!token) return pass_on(token);
  if (!token->empty() && !url.is_secure && !url.is_loopback()) {
    around.err.stream << "lathectl: warning: the token goes to " << escape(url.host)
                      << " unencrypted; use https, or a tunnel of ssh" << std::endl;
  }
  return Credentials{*std::move(token), global.ca_file.empty() ? around.default_ca_file : global.ca_file};
}

Outcome<ExitCode> act(const Parser& parser, Surroundings& around) {
  auto url = parse_base_url(parser.global.url);
  if (!url) return pass_on(url);
  auto credentials = find_credentials(parser.global, around, *url);
  if (!credentials) return pass_on(credentials);
  Context context{HttpClient(*std::move(url), *std::move(credentials)),
                  parser.global.format,
                  around.out,
                  around.err,
                  around.in,
                  around.in_is_terminal};
  const auto called = std::find_if(parser.actions.begin(), parser.actions.end(),
                                   [](const auto& entry) { return entry.first->parsed(); });
  auto outcome = called->second(context);
  context.out.stream.flush();
  if (outcome && *outcome == ExitCode::Ok && !context.out.stream) return fail("standard output cannot be written");
  return outcome;
}

int run_parsed(const Parser& parser, Surroundings& around) {
  const auto outcome = act(parser, around);
  if (outcome) return to_int(*outcome);
  around.err.stream << outcome.error().message << std::endl;
  return to_int(outcome.error().code);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Surroundings surroundings) {
  try {
    Parser parser;
    parser.global.url = surroundings.default_url;
    fill(parser);
    try {
      parser.app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them last first
    } catch (const CLI::ParseError& error) {
      const int code = parser.app.exit(error, surroundings.out.stream, surroundings.err.stream);
      return code == 0 ? 0 : to_int(ExitCode::Usage);
    }
    return run_parsed(parser, surroundings);
  } catch (const std::exception& error) {
    surroundings.err.stream << "lathectl: " << escape(error.what()) << std::endl;
    return to_int(ExitCode::Failed);
  }
}

}  // namespace lathe::cli

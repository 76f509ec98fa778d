#include "daemon/token_command.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "access/token_file.hpp"
#include "daemon/options.hpp"

namespace lathe::manager {
namespace {

constexpr int kRefused = 1;
constexpr int kUsage = 2;

struct TokenOptions {
  std::filesystem::path data_dir = default_data_dir();
  std::string name;
  Role role = Role::ReadOnly;
};

int refuse(const proto::Error& error, std::ostream& err) {
  err << "lathed: " << error.to_string() << '\n';
  return kRefused;
}

int list_tokens(const TokenOptions& options, std::ostream& out, std::ostream& err) {
  const auto content = TokenFile(options.data_dir).read();
  if (!content) return refuse(content.error(), err);
  std::size_t width = 4;
  for (const Token& token : content->tokens) width = std::max(width, token.name.size());
  out << fmt::format("{:<{}}  ROLE\n", "NAME", width);
  for (const Token& token : content->tokens)
    out << fmt::format("{:<{}}  {}\n", token.name, width, role_name(token.role));
  return 0;
}

/// The token alone goes to stdout, so that a script can catch it.
int add_token(const TokenOptions& options, std::ostream& out, std::ostream& err) {
  const auto token = TokenFile(options.data_dir).add(options.name, options.role);
  if (!token) return refuse(token.error(), err);
  out << *token << '\n' << std::flush;
  err << fmt::format("This is the {} token {}. It is shown this once: only its hash is kept.\n",
                     role_name(options.role), options.name);
  return 0;
}

int remove_token(const TokenOptions& options, std::ostream& err) {
  const auto removed = TokenFile(options.data_dir).remove(options.name);
  return removed ? 0 : refuse(removed.error(), err);
}

void add_data_dir(CLI::App& app, TokenOptions& options) {
  app.add_option("--data-dir", options.data_dir, "data folder of the daemon")->capture_default_str();
}

}  // namespace

int run_token_command(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  TokenOptions options;
  CLI::App app("The tokens with which clients may use lathed. A change takes effect with the next request.",
               "lathed token");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  lathed token add ana --role admin > ana.token\n  lathed token rm ana\n"
      "Run it as the user of the daemon, or as root.");
  CLI::App* list = app.add_subcommand("ls", "List names and roles");
  CLI::App* add = app.add_subcommand("add", "Make a token and show it, this once");
  CLI::App* remove = app.add_subcommand("rm", "Remove a token");
  for (CLI::App* command : {list, add, remove}) add_data_dir(*command, options);
  for (CLI::App* command : {add, remove})
    command->add_option("NAME", options.name, "what people and logs call it")->required();
  const std::map<std::string, Role> roles{{"admin", Role::Admin}, {"read-only", Role::ReadOnly}};
  add->add_option("--role", options.role, "read-only (default): only GET and HEAD; admin: everything")
      ->transform(CLI::CheckedTransformer(roles))
      ->option_text("admin|read-only");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : kUsage;
  }
  if (options.data_dir.empty()) {
    err << "lathed: --data-dir: neither it nor HOME is set, so there is no place for the data\n";
    return kUsage;
  }
  if (list->parsed()) return list_tokens(options, out, err);
  return add->parsed() ? add_token(options, out, err) : remove_token(options, err);
}

}  // namespace lathe::manager

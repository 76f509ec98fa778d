// The shape of a command, and what commands share.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "context.hpp"
#include "json.hpp"
#include "outcome.hpp"

namespace lathe::cli {

/// The work of a command whose options have been parsed.
using Action = std::function<Outcome<ExitCode>(Context&)>;

/// One row of the table of commands.
struct Command {
  std::string_view path;             ///< `create`, or `trial ls` inside a group
  std::string_view summary;          ///< one line
  std::string_view examples;         ///< shown below the options; each line a command that works
  Action (*declare)(CLI::App& app);  ///< adds the options to `app`, whose values the action returned will see
};

/// The JSON as the daemon sent it, for `-o json`.
void print_json(Context& context, const Json& json);

/// Options that many commands have. The strings they fill must outlive parsing: keep them in a shared_ptr with the
/// action.
void add_experiment_argument(CLI::App& app, std::string& id);

}  // namespace lathe::cli

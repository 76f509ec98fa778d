#include "commands/command.hpp"

namespace lathe::cli {

void print_json(Context& context, const Json& json) {
  context.out.stream << dump(json, 2) << '\n';
}

void add_experiment_argument(CLI::App& app, std::string& id) {
  app.add_option("ID", id, "Experiment, or the start of its ID; may be left out when only one is not finished");
}

}  // namespace lathe::cli

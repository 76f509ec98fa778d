#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api.hpp"
#include "commands/commands.hpp"
#include "output/host_view.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

Outcome<ExitCode> ls(Context& context) {
  auto hosts = get(context.client, api_path({"hosts"}));
  if (!hosts) return pass_on(hosts);
  if (context.wants_json()) {
    print_json(context, *hosts);
    return ExitCode::Ok;
  }
  const Json& items = member(*hosts, "items");
  context.out.stream << host_table({items.begin(), items.end()}).draw(context.out.palette, context.out.width);
  return ExitCode::Ok;
}

Outcome<ExitCode> show_answer(Context& context, Outcome<Json> host) {
  if (!host) return pass_on(host);
  if (context.wants_json())
    print_json(context, *host);
  else
    context.out.stream << describe_host(*host, context.out.palette);
  return ExitCode::Ok;
}

/// Ends with 1 when something is wrong, so that scripts can tell.
Outcome<ExitCode> test(Context& context, const std::string& name) {
  auto found = call(context.client, "POST", api_path({"hosts", name, "test"}));
  if (!found) return pass_on(found);
  if (context.wants_json())
    print_json(context, *found);
  else
    context.out.stream << describe_host_test(*found, context.out.palette);
  return member(*found, "ok") == true ? ExitCode::Ok : ExitCode::Failed;
}

template <class Work>
Action with_host(CLI::App& app, Work work) {
  const auto name = std::make_shared<std::string>();
  app.add_option("HOST", *name, "As `lathectl host ls` shows it: local, slurm, or user@host:port")->required();
  return [name, work](Context& context) { return work(context, *name); };
}

Action set_drained(CLI::App& app, std::string_view verb) {
  return with_host(app, [verb](Context& context, const std::string& name) {
    return show_answer(context, call(context.client, "POST", api_path({"hosts", name, verb})));
  });
}

}  // namespace

Action declare_host_ls(CLI::App&) {
  return ls;
}

Action declare_host_show(CLI::App& app) {
  return with_host(app, [](Context& context, const std::string& name) {
    return show_answer(context, get(context.client, api_path({"hosts", name})));
  });
}

Action declare_host_drain(CLI::App& app) {
  return set_drained(app, "drain");
}

Action declare_host_resume(CLI::App& app) {
  return set_drained(app, "resume");
}

Action declare_host_test(CLI::App& app) {
  return with_host(app, test);
}

}  // namespace lathe::cli

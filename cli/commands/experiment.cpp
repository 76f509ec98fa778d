#include <istream>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "api.hpp"
#include "commands/best_trials.hpp"
#include "commands/commands.hpp"
#include "http/copy.hpp"
#include "output/experiment_view.hpp"
#include "output/text.hpp"
#include "problem.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

/// The experiment that the user named, as JSON.
Outcome<Json> find(Context& context, const std::string& given) {
  auto id = resolve_experiment(context.client, given);
  if (!id) return pass_on(id);
  return get(context.client, api_path({"experiments", *id}));
}

Outcome<ExitCode> list_them(Context& context, bool all) {
  auto listing = list_experiments(context.client);
  if (!listing) return pass_on(listing);
  auto& items = listing->items;
  if (!all) std::erase_if(items, [](const Json& e) { return is_finished(text_of(e, "status")); });
  if (context.wants_json()) {
    print_json(context, listing->to_json());
    return ExitCode::Ok;
  }
  Table table = experiment_table();
  for (const Json& experiment : items) add_experiment(table, experiment);
  if (table.rows() > 0) context.out.stream << table.draw(context.out.palette, context.out.width);
  if (table.rows() == 0)
    context.err.stream << (all ? "there is no experiment\n"
                               : "no experiment is running; --all lists the finished ones\n");
  return ExitCode::Ok;
}

Outcome<ExitCode> show(Context& context, const std::string& given) {
  auto experiment = find(context, given);
  if (!experiment) return pass_on(experiment);
  if (context.wants_json()) {
    print_json(context, *experiment);
    return ExitCode::Ok;
  }
  context.out.stream << describe_experiment(*experiment, context.out.palette) << '\n';
  return print_best_trials(context, *experiment);
}

Outcome<ExitCode> status(Context& context, const std::string& given) {
  auto experiment = find(context, given);
  if (!experiment) return pass_on(experiment);
  if (context.wants_json()) {
    print_json(context, *experiment);
    return ExitCode::Ok;
  }
  const std::string name = text_of(*experiment, "status");
  std::string line =
      fmt::format("{} {}  {}", escape(text_of(*experiment, "id")),
                  context.out.palette.paint(escape(name), style_of_status(name)), count_text(*experiment));
  if (const auto best = best_text(*experiment); !best.empty()) line += ", best " + escape(best);
  context.out.stream << line << '\n';
  return ExitCode::Ok;
}

/// Without -y only somebody at a terminal can agree.
Outcome<bool> confirm(Context& context, const Json& experiment) {
  if (!context.in_is_terminal) return fail("deleting needs a yes: add -y", ExitCode::Usage);
  context.err.stream << fmt::format("delete experiment {} ({}, {}) with all its files? [y/N] ",
                                    escape(text_of(experiment, "id")), escape(text_of(experiment, "name")),
                                    count_text(experiment))
                     << std::flush;
  std::string answer;
  std::getline(context.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Outcome<ExitCode> remove(Context& context, const std::string& given, bool agreed) {
  auto experiment = find(context, given);
  if (!experiment) return pass_on(experiment);
  if (!agreed) {
    auto answer = confirm(context, *experiment);
    if (!answer) return pass_on(answer);
    if (!*answer) return fail("not deleted");
  }
  const std::string id = text_of(*experiment, "id");
  auto removed = call(context.client, "DELETE", api_path({"experiments", id}));
  if (!removed) return pass_on(removed);
  if (context.wants_json()) print_json(context, *removed);
  if (!context.wants_json()) context.err.stream << fmt::format("experiment {} was deleted\n", escape(id));
  return ExitCode::Ok;
}

struct ExportOptions {
  std::string id;
  std::string type = "json";
  std::string filename;
};

Outcome<ExitCode> export_trials(Context& context, const ExportOptions& options) {
  auto id = resolve_experiment(context.client, options.id);
  if (!id) return pass_on(id);
  auto stream = context.client.open(
      {"GET", with_query(api_path({"experiments", *id, "export"}), {{"format", options.type}}), {}, {}, {}});
  if (!stream) return pass_on(stream);
  if (stream->status() >= 400) return tl::unexpected<Failure>(failure_of_stream(*stream));
  if (options.filename.empty() || options.filename == "-") return copy_answer(*stream, context.out.stream);
  auto copied = copy_answer_to_file(*stream, options.filename);
  if (copied) context.err.stream << fmt::format("written to {}\n", escape(options.filename));
  return copied;
}

/// Commands that need an experiment and nothing else.
template <class Work>
Action with_experiment(CLI::App& app, Work work) {
  const auto id = std::make_shared<std::string>();
  add_experiment_argument(app, *id);
  return [id, work](Context& context) { return work(context, *id); };
}

}  // namespace

Action declare_experiment_list(CLI::App& app) {
  const auto all = std::make_shared<bool>(false);
  app.add_flag("-a,--all", *all, "The finished ones too");
  return [all](Context& context) { return list_them(context, *all); };
}

Action declare_experiment_show(CLI::App& app) {
  return with_experiment(app, show);
}

Action declare_experiment_status(CLI::App& app) {
  return with_experiment(app, status);
}

Action declare_experiment_delete(CLI::App& app) {
  const auto agreed = std::make_shared<bool>(false);
  app.add_flag("-y,--yes", *agreed, "Do not ask");
  return with_experiment(app,
                         [agreed](Context& context, const std::string& id) { return remove(context, id, *agreed); });
}

Action declare_experiment_export(CLI::App& app) {
  const auto options = std::make_shared<ExportOptions>();
  add_experiment_argument(app, options->id);
  app.add_option("-t,--type", options->type, "json or csv")
      ->check(CLI::IsMember({"json", "csv"}))
      ->capture_default_str();
  app.add_option("-f,--filename", options->filename, "Where to write; standard output without it");
  return [options](Context& context) { return export_trials(context, *options); };
}

}  // namespace lathe::cli

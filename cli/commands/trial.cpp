#include <algorithm>
#include <cctype>
#include <cstdint>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "api.hpp"
#include "commands/commands.hpp"
#include "commands/trial_target.hpp"
#include "http/copy.hpp"
#include "output/text.hpp"
#include "output/trial_view.hpp"
#include "problem.hpp"
#include "resolve.hpp"

namespace lathe::cli {
namespace {

constexpr std::int64_t default_limit = 100;

struct ListOptions {
  std::string id;
  std::int64_t head = 0;
  std::int64_t tail = 0;
  std::int64_t limit = default_limit;
  std::string status;
  std::string sort;
};

/// --head and --tail are the first and last by number; the tail is asked for backwards.
Outcome<Listing> fetch(Context& context, const ListOptions& options, const std::string& id) {
  std::string status = options.status;
  std::transform(status.begin(), status.end(), status.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const bool backwards = options.tail > 0;
  const std::int64_t limit = backwards ? options.tail : (options.head > 0 ? options.head : options.limit);
  auto listing = list(context.client, api_path({"experiments", id, "trials"}),
                      {{"status", status}, {"sort", backwards ? "-sequence" : options.sort}}, limit);
  if (listing && backwards) {
    std::reverse(listing->items.begin(), listing->items.end());
    listing->next_cursor.clear();
  }
  return listing;
}

Outcome<ExitCode> ls(Context& context, const ListOptions& options) {
  auto id = resolve_experiment(context.client, options.id);
  if (!id) return pass_on(id);
  auto listing = fetch(context, options, *id);
  if (!listing) return pass_on(listing);
  if (context.wants_json()) {
    print_json(context, listing->to_json());
    return ExitCode::Ok;
  }
  if (!listing->items.empty())
    context.out.stream << trial_table(listing->items).draw(context.out.palette, context.out.width);
  if (listing->items.empty()) context.err.stream << "no trials\n";
  if (!listing->next_cursor.empty() && options.head == 0) context.err.stream << "there are more: --limit 0 shows all\n";
  return ExitCode::Ok;
}

Outcome<ExitCode> show(Context& context, const TrialWords& words) {
  auto target = resolve_target(context.client, words);
  if (!target) return pass_on(target);
  auto trial = get(context.client, target->path());
  if (!trial) return pass_on(trial);
  if (context.wants_json()) {
    print_json(context, *trial);
  } else {
    context.out.stream << describe_trial(*trial, context.out.palette);
  }
  return ExitCode::Ok;
}

Outcome<ExitCode> kill(Context& context, const TrialWords& words) {
  auto target = resolve_target(context.client, words);
  if (!target) return pass_on(target);
  auto trial = call(context.client, "POST", target->path() + "/cancel");
  if (!trial) return pass_on(trial);
  if (context.wants_json()) {
    print_json(context, *trial);
  } else {
    context.out.stream << fmt::format("trial {} is being cancelled\n", escape(target->trial));
  }
  return ExitCode::Ok;
}

Outcome<ExitCode> add(Context& context, const std::string& given, const std::string& text) {
  const Json parameters = Json::parse(text, nullptr, false);
  if (!parameters.is_object()) {
    return fail(fmt::format("--parameters {}: expected a JSON object such as '{{\"lr\": 0.01}}'", escape(text)),
                ExitCode::Usage);
  }
  auto id = resolve_experiment(context.client, given);
  if (!id) return pass_on(id);
  auto trial = call(context.client, "POST", api_path({"experiments", *id, "trials"}), {{"parameters", parameters}});
  if (!trial) return pass_on(trial);
  if (context.wants_json()) {
    print_json(context, *trial);
  } else {
    context.out.stream << escape(text_of(*trial, "id")) << '\n';
  }
  return ExitCode::Ok;
}

struct DownloadOptions {
  TrialWords words;
  std::string file = "compressed.pt";
  std::string filename;
};

/// Into the folder it is called from, unless told otherwise.
Outcome<ExitCode> download(Context& context, const DownloadOptions& options) {
  auto target = resolve_target(context.client, options.words);
  if (!target) return pass_on(target);
  const std::string path =
      api_path({"experiments", target->experiment, "trials", target->trial, "files", options.file});
  auto stream = context.client.open({"GET", path, {}, {}, {}});
  if (!stream) return pass_on(stream);
  if (stream->status() >= 400) return tl::unexpected<Failure>(failure_of_stream(*stream));
  if (options.filename == "-") return copy_answer(*stream, context.out.stream);
  const std::string filename = options.filename.empty() ? options.file : options.filename;
  auto copied = copy_answer_to_file(*stream, filename);
  if (copied) context.err.stream << fmt::format("written to {}\n", escape(filename));
  return copied;
}

struct AddOptions {
  std::string id;
  std::string parameters;
};

template <class Work>
Action with_trial(CLI::App& app, Work work) {
  const auto words = std::make_shared<TrialWords>();
  add_trial_arguments(app, *words);
  return [words, work](Context& context) { return work(context, *words); };
}

}  // namespace

Action declare_trial_ls(CLI::App& app) {
  const auto options = std::make_shared<ListOptions>();
  add_experiment_argument(app, options->id);
  auto* head = app.add_option("--head", options->head, "The first N by number")->check(CLI::PositiveNumber);
  auto* tail = app.add_option("--tail", options->tail, "The last N by number")->check(CLI::PositiveNumber);
  auto* sort = app.add_option("--sort", options->sort, "sequence, -sequence, metric or -metric")
                   ->check(CLI::IsMember({"sequence", "-sequence", "metric", "-metric"}));
  auto* limit = app.add_option("--limit", options->limit, "At most N; 0: all")
                    ->check(CLI::NonNegativeNumber)
                    ->capture_default_str();
  app.add_option("--status", options->status, "Only these, e.g. SUCCEEDED or running,waiting");
  head->excludes(tail)->excludes(sort)->excludes(limit);
  tail->excludes(sort)->excludes(limit);
  return [options](Context& context) { return ls(context, *options); };
}

Action declare_trial_show(CLI::App& app) {
  return with_trial(app, show);
}

Action declare_trial_kill(CLI::App& app) {
  return with_trial(app, kill);
}

Action declare_trial_download(CLI::App& app) {
  const auto options = std::make_shared<DownloadOptions>();
  add_trial_arguments(app, options->words);
  app.add_option("--file", options->file, "A file that the trial left")
      ->check(CLI::IsMember(
          {"compressed.pt", "compressed.onnx", "int8.pt", "model.pth", "mask.pth", "calibration.json", "report.json"}))
      ->capture_default_str();
  app.add_option("--filename", options->filename, "Where to write it; -: to standard output. Default: its own name");
  return [options](Context& context) { return download(context, *options); };
}

Action declare_trial_add(CLI::App& app) {
  const auto options = std::make_shared<AddOptions>();
  add_experiment_argument(app, options->id);
  app.add_option("-p,--parameters", options->parameters, "A JSON object, as the search space would give it")
      ->required();
  return [options](Context& context) { return add(context, options->id, options->parameters); };
}

}  // namespace lathe::cli

#include "output/experiment_view.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <lathe/proto/experiment_config.hpp>

#include "output/format.hpp"
#include "output/measures.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

constexpr std::array ended_statuses{"SUCCEEDED", "FAILED", "USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"};

std::int64_t count_of(const Json& experiment, std::string_view status) {
  return integer_of(member(experiment, "counts"), status).value_or(0);
}

std::optional<double> duration_limit(const Json& experiment) {
  const Json& limit = member(member(experiment, "config"), "maxExperimentDuration");
  if (limit.is_null()) return std::nullopt;
  const auto parsed = proto::parse_duration(limit);
  return parsed ? std::optional(static_cast<double>(parsed->count())) : std::nullopt;
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::string time_text(const Json& experiment, std::string_view key) {
  const auto time = integer_of(experiment, key);
  return time ? format_time(*time) : std::string{};
}

std::string duration_text(const Json& experiment) {
  const auto seconds = number_of(experiment, "runDuration");
  return seconds ? format_duration(*seconds) : std::string{};
}

void append_line(std::string& out, std::string_view label, const std::string& value, const Palette& palette,
                 Style style = Style::Plain) {
  if (!value.empty()) out += fmt::format("{:<12}{}\n", label, palette.paint(escape(value), style));
}

}  // namespace

ExperimentProgress progress_of(const Json& experiment) {
  ExperimentProgress progress;
  for (const char* status : ended_statuses) progress.ended += count_of(experiment, status);
  progress.succeeded = count_of(experiment, "SUCCEEDED");
  progress.running = count_of(experiment, "RUNNING");
  progress.waiting = count_of(experiment, "WAITING");
  progress.limit = integer_of(member(experiment, "config"), "maxTrialNumber");
  return progress;
}

std::optional<double> time_left(const Json& experiment, double age) {
  const auto progress = progress_of(experiment);
  const double elapsed = number_of(experiment, "runDuration").value_or(0) + age;
  std::optional<double> by_trials;
  if (progress.limit && progress.ended > 0) {
    const auto missing = static_cast<double>(std::max<std::int64_t>(0, *progress.limit - progress.ended));
    by_trials = elapsed / static_cast<double>(progress.ended) * missing;
  }
  std::optional<double> by_duration;
  if (const auto limit = duration_limit(experiment)) by_duration = std::max(0.0, *limit - elapsed);
  return smaller(by_trials, by_duration);
}

std::string count_text(const Json& experiment) {
  const auto progress = progress_of(experiment);
  std::string text = progress.limit ? fmt::format("{}/{} trials", progress.ended, *progress.limit)
                                    : fmt::format("{} trials", progress.ended);
  constexpr std::array<std::pair<const char*, const char*>, 6> worth_telling{{{"RUNNING", "running"},
                                                                              {"WAITING", "waiting"},
                                                                              {"FAILED", "failed"},
                                                                              {"EARLY_STOPPED", "stopped early"},
                                                                              {"USER_CANCELED", "cancelled"},
                                                                              {"SYS_CANCELED", "ended by Lathe"}}};
  for (const auto& [status, word] : worth_telling) {
    if (const auto count = count_of(experiment, status); count > 0) text += fmt::format(", {} {}", count, word);
  }
  return text;
}

std::string best_text(const Json& experiment) {
  const Json& best = member(experiment, "best");
  const auto metric = number_of(best, "metric");
  return metric ? fmt::format("{} (trial {})", format_number(*metric), text_of(best, "trialId")) : std::string{};
}

bool is_compression(const Json& experiment) {
  return member(member(experiment, "config"), "compression").is_object();
}

std::string describe_experiment(const Json& experiment, const Palette& palette) {
  const std::string status = text_of(experiment, "status");
  std::string out;
  append_line(out, "id", text_of(experiment, "id"), palette, Style::Bold);
  append_line(out, "name", text_of(experiment, "name"), palette);
  append_line(out, "status", status, palette, style_of_status(status));
  append_line(out, "error", text_of(experiment, "error"), palette, Style::Bad);
  append_line(out, "trials", count_text(experiment), palette);
  append_line(out, "best", best_text(experiment), palette);
  append_line(out, "original", measures_text(member(experiment, "baseline")), palette);
  append_line(out, "created", time_text(experiment, "createdTime"), palette);
  append_line(out, "started", time_text(experiment, "startTime"), palette);
  append_line(out, "ended", time_text(experiment, "endTime"), palette);
  append_line(out, "has run", duration_text(experiment), palette);
  append_line(out, "folder", text_of(experiment, "directory"), palette);
  for (const Json& warning : member(experiment, "warnings")) {
    if (warning.is_string()) append_line(out, "warning", warning.get<std::string>(), palette);
  }
  return out;
}

Table experiment_table() {
  return Table({{"ID"},
                {"NAME", Align::Left, true},
                {"STATUS"},
                {"TRIALS", Align::Left, true},
                {"BEST"},
                {"CREATED"},
                {"HAS RUN", Align::Right}});
}

void add_experiment(Table& table, const Json& experiment) {
  const std::string status = text_of(experiment, "status");
  table.add({{text_of(experiment, "id"), Style::Bold},
             {text_of(experiment, "name")},
             {status, style_of_status(status)},
             {count_text(experiment)},
             {best_text(experiment)},
             {time_text(experiment, "createdTime")},
             {duration_text(experiment)}});
}

}  // namespace lathe::cli

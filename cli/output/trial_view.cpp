#include "output/trial_view.hpp"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "output/experiment_view.hpp"
#include "output/format.hpp"
#include "output/measures.hpp"
#include "output/parameters.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

std::string metric_text(const Json& trial) {
  const auto metric = number_of(trial, "metric");
  return metric ? format_number(*metric) : std::string{};
}

std::string duration_text(const Json& trial) {
  const auto duration = number_of(trial, "duration");
  return duration ? format_duration(*duration) : std::string{};
}

std::string number_text(const Json& json, std::string_view key) {
  const auto number = integer_of(json, key);
  return number ? std::to_string(*number) : std::string{};
}

/// Why it ended badly, why it waits, or what else is worth knowing; the first that is said.
std::string remark(const Json& trial) {
  for (const char* key : {"reason", "waitReason", "note"}) {
    if (auto text = text_of(trial, key); !text.empty()) return text;
  }
  return {};
}

template <class T>
void append(std::vector<T>& to, std::vector<T> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void append_line(std::string& out, std::string_view label, const std::string& value, const Palette& palette,
                 Style style = Style::Plain) {
  if (!value.empty()) out += fmt::format("{:<12}{}\n", label, palette.paint(escape(value), style));
}

std::string time_text(const Json& trial, std::string_view key) {
  const auto time = integer_of(trial, key);
  return time ? format_time(*time) : std::string{};
}

/// A final metric that is more than its one number.
std::string final_metric_text(const Json& trial) {
  const Json& metric = member(trial, "finalMetric");
  return metric.is_object() ? dump(metric) : std::string{};
}

/// `ana@a.lan, GPU 0, 2`.
std::string host_text(const Json& trial) {
  std::string text = text_of(trial, "host");
  bool first = true;
  for (const Json& gpu : member(trial, "gpus")) {
    text += (first ? ", GPU " : ", ") + dump(gpu);
    first = false;
  }
  return text;
}

/// Why an earlier attempt was not the last.
std::string attempt_text(const Json& attempt) {
  return fmt::format("{} on {}: {}", number_text(attempt, "attempt"), text_of(attempt, "host"),
                     text_of(attempt, "reason"));
}

}  // namespace

Table trial_table(const std::vector<Json>& trials) {
  std::vector<Column> columns{
      {"NO.", Align::Right}, {"ID"}, {"STATUS"}, {"PARAMETERS", Align::Left, true}, {"METRIC", Align::Right}};
  append(columns, measure_columns());
  append(columns, {{"DURATION", Align::Right}, {"REMARK", Align::Left, true}});
  Table table(std::move(columns));
  for (const Json& trial : trials) {
    const std::string status = text_of(trial, "status");
    std::vector<Cell> row{{number_text(trial, "sequence")},
                          {text_of(trial, "id")},
                          {status, style_of_status(status)},
                          {compact_parameters(member(trial, "parameters"))},
                          {metric_text(trial)}};
    append(row, measure_cells(member(trial, "finalMetric")));
    append(row, {{duration_text(trial)}, {remark(trial)}});
    table.add(std::move(row));
  }
  if (table.rows() > 0) table.drop_empty_columns();
  return table;
}

Table best_table(const Json& experiment, const std::vector<Json>& trials) {
  std::vector<Column> columns{
      {"RANK", Align::Right}, {"TRIAL"}, {"ID"}, {"PARAMETERS", Align::Left, true}, {"METRIC", Align::Right}};
  append(columns, measure_columns());
  Table table(std::move(columns));
  const Json& baseline = member(experiment, "baseline");
  if (baseline.is_object()) {
    std::vector<Cell> row{{""}, {"original", Style::Bold}, {""}, {""}, {""}};
    append(row, measure_cells(baseline));
    table.add(std::move(row));
  }
  std::size_t rank = 0;
  for (const Json& trial : trials) {
    std::vector<Cell> row{{std::to_string(++rank)},
                          {number_text(trial, "sequence")},
                          {text_of(trial, "id")},
                          {compact_parameters(member(trial, "parameters"))},
                          {metric_text(trial)}};
    append(row, measure_cells(member(trial, "finalMetric")));
    table.add(std::move(row));
  }
  if (table.rows() > 0) table.drop_empty_columns();
  return table;
}

std::string describe_trial(const Json& trial, const Palette& palette) {
  const std::string status = text_of(trial, "status");
  std::string out;
  append_line(out, "id", text_of(trial, "id"), palette, Style::Bold);
  append_line(out, "number", number_text(trial, "sequence"), palette);
  append_line(out, "status", status, palette, style_of_status(status));
  append_line(out, "reason", text_of(trial, "reason"), palette, Style::Bad);
  append_line(out, "waits for", text_of(trial, "waitReason"), palette);
  append_line(out, "note", text_of(trial, "note"), palette);
  append_line(out, "parameters", dump(member(trial, "parameters")), palette);
  append_line(out, "source", text_of(trial, "source"), palette);
  append_line(out, "metric", metric_text(trial), palette);
  append_line(out, "final", final_metric_text(trial), palette);
  append_line(out, "host", host_text(trial), palette);
  append_line(out, "attempt", number_text(trial, "attempt"), palette);
  for (const Json& attempt : member(trial, "attempts")) append_line(out, "", attempt_text(attempt), palette);
  append_line(out, "submitted", time_text(trial, "submitTime"), palette);
  append_line(out, "started", time_text(trial, "startTime"), palette);
  append_line(out, "ended", time_text(trial, "endTime"), palette);
  append_line(out, "duration", duration_text(trial), palette);
  append_line(out, "exit code", number_text(trial, "exitCode"), palette);
  append_line(out, "signal", number_text(trial, "signal"), palette);
  append_line(out, "process", number_text(trial, "pid"), palette);
  append_line(out, "folder", text_of(trial, "directory"), palette);
  if (const auto tail = text_of(trial, "stderrTail"); !tail.empty()) {
    out += "last lines of stderr:\n" + escape(tail, Keep::LinesAndTabs);
    if (out.back() != '\n') out += '\n';
  }
  return out;
}

bool is_maximized(const Json& experiment) {
  const Json& arguments = member(member(member(experiment, "config"), "tuner"), "classArgs");
  return text_of(arguments, "optimize_mode") == "maximize" || text_of(arguments, "optimizeMode") == "maximize";
}

}  // namespace lathe::cli

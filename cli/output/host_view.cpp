#include "output/host_view.hpp"

#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "output/format.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

Style style_of_state(const std::string& state) {
  if (state == "connected") return Style::Good;
  return state == "away" ? Style::Bad : Style::Busy;
}

std::int64_t trials_on(const Json& host) {
  std::int64_t total = 0;
  for (const auto& [experiment, count] : member(host, "trials").items()) {
    if (count.is_number_integer()) total += count.get<std::int64_t>();
  }
  return total;
}

std::string slots_text(const Json& host) {
  const auto slots = integer_of(host, "slots");
  return slots ? fmt::format("{}/{}", trials_on(host), *slots) : std::to_string(trials_on(host));
}

/// `2 of 4 in use`; empty without any.
std::string gpus_text(const Json& host) {
  const Json& gpus = member(host, "gpus");
  if (!gpus.is_array() || gpus.empty()) return {};
  std::size_t used = 0;
  for (const Json& gpu : gpus) used += member(gpu, "processes").empty() ? 0 : 1;
  return fmt::format("{} of {} in use", used, gpus.size());
}

std::string load_text(const Json& host) {
  const auto load = number_of(host, "load");
  const auto cores = integer_of(host, "cores");
  return load && cores ? fmt::format("{:.1f}/{}", *load, *cores) : std::string();
}

std::string bytes_text(const Json& host, std::string_view key) {
  const auto bytes = number_of(host, key);
  return bytes ? format_bytes(*bytes) : std::string();
}

void append_line(std::string& out, std::string_view label, const std::string& value, const Palette& palette,
                 Style style = Style::Plain) {
  if (!value.empty()) out += fmt::format("{:<12}{}\n", label, palette.paint(escape(value), style));
}

std::string labels_text(const Json& host) {
  std::string text;
  for (const auto& [key, value] : member(host, "labels").items()) {
    if (value.is_string()) text += (text.empty() ? "" : ", ") + key + "=" + value.get<std::string>();
  }
  return text;
}

std::string agent_text(const Json& agent) {
  if (!agent.is_object()) return {};
  return fmt::format("version {}, pid {} on {}, files in {}", text_of(agent, "version"),
                     integer_of(agent, "pid").value_or(0), text_of(agent, "hostname"), text_of(agent, "root"));
}

std::string gpu_line(const Json& gpu) {
  std::string text =
      fmt::format("{} {}, {} of {} in use, {}%", integer_of(gpu, "index").value_or(0), text_of(gpu, "name"),
                  bytes_text(gpu, "memoryUsed"), bytes_text(gpu, "memory"), integer_of(gpu, "utilization").value_or(0));
  for (const Json& process : member(gpu, "processes")) {
    text += fmt::format("; pid {}", integer_of(process, "pid").value_or(0));
    if (const auto name = text_of(process, "name"); !name.empty()) text += " (" + name + ")";
    if (const auto user = text_of(process, "user"); !user.empty()) text += " of " + user;
    if (const auto attempt = text_of(process, "attempt"); !attempt.empty()) text += ", trial " + attempt;
  }
  return text;
}

Style style_of_verdict(const std::string& verdict) {
  if (verdict == "OK") return Style::Good;
  if (verdict == "FAILED") return Style::Bad;
  return verdict == "WARNING" ? Style::Busy : Style::Dim;
}

}  // namespace

std::string state_of_host(const Json& host) {
  if (member(host, "drained") == true) return "drained";
  return member(host, "connected") == true ? "connected" : "away";
}

Table host_table(const std::vector<Json>& hosts) {
  Table table({{"HOST"},
               {"KIND"},
               {"STATE"},
               {"TRIALS", Align::Right},
               {"GPUS"},
               {"LOAD", Align::Right},
               {"DISK FREE", Align::Right},
               {"LABELS"},
               {"REMARK", Align::Left, true}});
  for (const Json& host : hosts) {
    const std::string state = state_of_host(host);
    table.add({{text_of(host, "id")},
               {text_of(host, "kind")},
               {state, style_of_state(state)},
               {slots_text(host)},
               {gpus_text(host)},
               {load_text(host)},
               {bytes_text(host, "diskFree")},
               {labels_text(host)},
               {text_of(host, "reason")}});
  }
  if (table.rows() > 0) table.drop_empty_columns();
  return table;
}

std::string describe_host(const Json& host, const Palette& palette) {
  const std::string state = state_of_host(host);
  std::string out;
  append_line(out, "host", text_of(host, "id"), palette, Style::Bold);
  append_line(out, "kind", text_of(host, "kind"), palette);
  append_line(out, "state", state, palette, style_of_state(state));
  append_line(out, "reason", text_of(host, "reason"), palette, Style::Bad);
  append_line(out, "labels", labels_text(host), palette);
  append_line(out, "trials", slots_text(host), palette);
  for (const auto& [experiment, count] : member(host, "trials").items())
    append_line(out, "", fmt::format("{} of experiment {}", dump(count), experiment), palette);
  append_line(out, "agent", agent_text(member(host, "agent")), palette);
  append_line(out, "lathe-trial", text_of(member(host, "agent"), "trialProgram"), palette);
  append_line(out, "load", load_text(host), palette);
  append_line(out, "memory free", bytes_text(host, "memoryFree"), palette);
  append_line(out, "disk free", bytes_text(host, "diskFree"), palette);
  append_line(out, "GPUs", text_of(host, "gpuError"), palette, Style::Bad);
  for (const Json& gpu : member(host, "gpus")) append_line(out, "GPU", gpu_line(gpu), palette);
  return out;
}

std::string describe_host_test(const Json& test, const Palette& palette) {
  std::string out;
  for (const Json& check : member(test, "checks")) {
    const std::string verdict = text_of(check, "verdict");
    out +=
        fmt::format("{}  {:<14}{}\n", palette.paint(fmt::format("{:<7}", escape(verdict)), style_of_verdict(verdict)),
                    escape(text_of(check, "step")), escape(text_of(check, "detail")));
  }
  return out;
}

}  // namespace lathe::cli

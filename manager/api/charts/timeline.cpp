// GET experiments/{id}/timeline: who ran where and when.
#include "analysis/timeline.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "analysis/sampling.hpp"
#include "api/charts/chart_answer.hpp"
#include "api/charts/chart_query.hpp"
#include "api/service_problem.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

/// Of trials that were run again; the latest ones.
constexpr std::int64_t most_attempts = 20'000;
constexpr double forever = std::numeric_limits<double>::infinity();

/// What one bar of the chart shows.
struct Bar {
  std::size_t row = 0;
  std::int64_t attempt = 0;
  bool is_earlier = false;  ///< the trial was run again after it
};

class Timeline {
 public:
  explicit Timeline(const TrialTable& table) : table_(table) {}

  void add_trials() {
    const Column& start = *table_.find("startTime");
    const Column& end = *table_.find("endTime");
    const Column& status = *table_.find("status");
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const bool is_running = status.text(row) == "RUNNING";
      if (!start.has(row) || (!end.has(row) && !is_running)) continue;
      const auto attempt = static_cast<std::int64_t>(table_.find("attempt")->number(row));
      add({row, attempt, false}, table_.find("host")->text(row), start.number(row),
          end.has(row) ? end.number(row) : forever);
    }
  }

  void add_attempts(const std::vector<TrialAttempt>& attempts) {
    for (const TrialAttempt& attempt : attempts) {
      const auto row = table_.row_of(attempt.trial);
      if (!row || !attempt.record.start_ms) continue;
      add({*row, attempt.record.attempt, true}, attempt.record.host, static_cast<double>(*attempt.record.start_ms),
          static_cast<double>(attempt.record.end_ms));
    }
  }

  [[nodiscard]] ordered_json json(std::size_t points) const {
    const std::vector<std::uint32_t> slots = slots_of(spans_);
    const std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> lanes = lanes_of(slots);
    ordered_json json{{"total", bars_.size()}, {"sampled", bars_.size() > points}};
    json["lanes"] = json["items"] = ordered_json::array();
    for (const auto& [lane, number] : lanes)
      json["lanes"].push_back({{"host", host_names_.text(lane.first)}, {"slot", lane.second}});
    for (const std::size_t bar : even_places(bars_.size(), points))
      json["items"].push_back(item(bar, lanes.at({spans_[bar].host, slots[bar]})));
    return json;
  }

 private:
  void add(Bar bar, const std::string& host, double start, double end) {
    bars_.push_back(bar);
    spans_.push_back({host_names_.intern(host), start, std::max(start, end)});
  }

  /// Numbers the places of the hosts, host by host.
  [[nodiscard]] std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> lanes_of(
      const std::vector<std::uint32_t>& slots) const {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> lanes;
    for (std::size_t bar = 0; bar < spans_.size(); ++bar) lanes.emplace(std::pair(spans_[bar].host, slots[bar]), 0);
    std::size_t next = 0;
    for (auto& [lane, number] : lanes) number = next++;
    return lanes;
  }

  [[nodiscard]] ordered_json item(std::size_t index, std::size_t lane) const {
    const Bar& bar = bars_[index];
    ordered_json json{{"lane", lane},
                      {"id", table_.id(bar.row)},
                      {"sequence", table_.sequence(bar.row)},
                      {"attempt", bar.attempt},
                      {"status", bar.is_earlier ? "RETRIED" : table_.find("status")->text(bar.row)},
                      {"start", json_number(spans_[index].start)}};
    if (spans_[index].end != forever) json["end"] = json_number(spans_[index].end);
    return json;
  }

  const TrialTable& table_;
  std::vector<Bar> bars_;
  std::vector<HostSpan> spans_;
  TextDictionary host_names_;
};

}  // namespace

HandlerResult show_timeline(const HttpRequest& request, const ApiContext& context) {
  const auto points = parse_timeline_query(request.query);
  if (!points) co_return bad_request(points.error());
  auto attempts = co_await context.service.list_attempts(request.path_value("id"), most_attempts);
  if (!attempts) co_return service_problem(attempts.error(), request);
  const auto earlier = std::make_shared<const std::vector<TrialAttempt>>(std::move(*attempts));
  Chart chart = [points = *points, earlier](const TrialTable& table, const ExperimentFacts&) {
    Timeline timeline(table);
    timeline.add_attempts(*earlier);
    timeline.add_trials();
    return timeline.json(static_cast<std::size_t>(points));
  };
  // An attempt that is over is never changed.
  const std::string more = fmt::format(" {} attempts", earlier->size());
  co_return co_await answer_from_table(request, context, std::move(chart), more);
}

}  // namespace lathe::manager

// GET experiments/{id}/layers: what trials have cut where, from the reports of the built-in trial program.
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "api/blocking.hpp"
#include "api/charts/chart_answer.hpp"
#include "api/charts/chart_query.hpp"
#include "api/charts/trial_choice.hpp"
#include "api/plain_file.hpp"
#include "api/service_problem.hpp"
#include "api/trial_tables.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t largest_report = 8u << 20;
constexpr std::size_t most_cells = 60'000;
constexpr std::size_t most_layers = 1'000;
constexpr std::size_t longest_name = 200;
constexpr double float_bits = 32;

struct LayerFigure {
  std::string name;
  std::optional<double> value;
};

std::optional<double> number_at(const ordered_json& layer, const char* key) {
  if (!layer.is_object()) return std::nullopt;
  const auto found = layer.find(key);
  if (found == layer.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<double> fraction(std::optional<double> after, std::optional<double> before) {
  if (!after || !before || *before <= 0) return std::nullopt;
  return *after / *before;
}

/// The first extent of a weight's shape: its output channels.
std::optional<double> channels_at(const ordered_json& layer, const char* key) {
  const auto shape = layer.find(key);
  if (shape == layer.end() || !shape->is_array() || shape->empty() || !shape->front().is_number()) return std::nullopt;
  return shape->front().get<double>();
}

/// Bits of the weights by layer, of those that are quantized.
std::map<std::string, double> quantized_bits(const ordered_json& report) {
  std::map<std::string, double> bits;
  const auto layers = report.find("quantized");
  if (layers == report.end() || !layers->is_array()) return bits;
  for (const ordered_json& layer : *layers) {
    const auto weight = number_at(layer, "weight_bits");
    if (weight && layer.contains("layer") && layer["layer"].is_string()) bits[layer["layer"]] = *weight;
  }
  return bits;
}

std::optional<double> figure_of(const ordered_json& layer, LayerValue value,
                                const std::map<std::string, double>& bits) {
  switch (value) {
    case LayerValue::Sparsity:
      return number_at(layer, "sparsity");
    case LayerValue::Channels:
      return fraction(channels_at(layer, "shape_after"), channels_at(layer, "shape_before"));
    case LayerValue::Macs:
      return fraction(number_at(layer, "macs_after"), number_at(layer, "macs_before"));
    case LayerValue::Bits: {
      if (const auto own = number_at(layer, "bits")) return own;
      const auto found = bits.find(layer["name"].get<std::string>());
      return found == bits.end() ? float_bits : found->second;
    }
  }
  return std::nullopt;
}

/// Of a report that a trial wrote: anything may be in it.
std::vector<LayerFigure> figures_of(const ordered_json& report, LayerValue value) {
  std::vector<LayerFigure> figures;
  if (!report.is_object()) return figures;
  const auto layers = report.find("layers");
  if (layers == report.end() || !layers->is_array()) return figures;
  const std::map<std::string, double> bits = quantized_bits(report);
  for (const ordered_json& layer : *layers) {
    if (!layer.is_object() || !layer.contains("name") || !layer["name"].is_string()) continue;
    std::string name = layer["name"].get<std::string>();
    if (name.size() > longest_name || figures.size() == most_layers) continue;
    figures.push_back({std::move(name), figure_of(layer, value, bits)});
  }
  return figures;
}

ordered_json read_report(const std::filesystem::path& root, const TrialRecord& trial) {
  const auto file = PlainFile::open(root, std::filesystem::path(trial.directory) / "report.json");
  if (!file || (*file)->size() > largest_report) return nullptr;
  auto report = ordered_json::parse((*file)->read(0, largest_report), nullptr, false);
  return report.is_discarded() ? ordered_json() : report;
}

/// Six decimals: a heat map shows no more, and the answer stays small.
ordered_json rounded(std::optional<double> value) {
  return value ? json_number(std::round(*value * 1e6) / 1e6) : ordered_json();
}

/// Layers in the order in which the reports first name them, trials without a report left out.
class HeatMap {
 public:
  void add(const TrialRecord& trial, const std::vector<LayerFigure>& figures) {
    if (figures.empty() || (trials_.size() + 1) * (names_.size() + figures.size()) > most_cells) return;
    ordered_json entry{{"id", trial.id}, {"sequence", trial.sequence}};
    entry["metric"] = trial.metric ? json_number(*trial.metric) : ordered_json();
    trials_.push_back(std::move(entry));
    std::vector<ordered_json> row(names_.size());
    for (const LayerFigure& figure : figures) {
      const auto [place, is_new] = places_.emplace(figure.name, names_.size());
      if (is_new) {
        names_.push_back(figure.name);
        row.emplace_back();
      }
      row[place->second] = rounded(figure.value);
    }
    rows_.push_back(std::move(row));
  }

  [[nodiscard]] ordered_json json(std::string_view value) {
    for (auto& row : rows_) row.resize(names_.size());
    return {{"value", value}, {"layers", names_}, {"trials", trials_}, {"values", rows_}};
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::size_t> places_;
  ordered_json trials_ = ordered_json::array();
  std::vector<std::vector<ordered_json>> rows_;
};

std::string_view name_of(LayerValue value) {
  constexpr std::array<std::string_view, 4> names{"sparsity", "channels", "macs", "bits"};
  return names[static_cast<std::size_t>(value)];
}

}  // namespace

HandlerResult list_layers(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_layers_query(request.query);
  if (!query) co_return bad_request(query.error());
  const std::string id = request.path_value("id");
  auto record = co_await context.service.show(id);
  if (!record) co_return service_problem(record.error(), request);
  const auto facts = std::make_shared<const ExperimentFacts>(std::move(*record));
  const LayerValue value = query->value;
  auto choosing = [facts, query = std::move(*query)](const TrialTable& table) {
    return first_trials(table, *facts, query.filter, query.sort, static_cast<std::size_t>(query.trials));
  };
  const auto chosen = co_await context.tables->ask(id, question_key(request, *facts), std::move(choosing));
  if (!chosen) co_return service_problem(chosen.error(), request);
  if (!*chosen) co_return bad_request(chosen->error());
  std::vector<std::int64_t> sequences;
  for (const ChosenTrial& trial : **chosen) sequences.push_back(trial.sequence);
  auto trials = co_await context.service.find_trials(id, std::move(sequences));
  if (!trials) co_return service_problem(trials.error(), request);
  auto work = [trials = std::move(*trials), root = context.data_dir, value] {
    HeatMap map;
    for (const TrialRecord& trial : trials) map.add(trial, figures_of(read_report(root, trial), value));
    return json_response(map.json(name_of(value)));
  };
  co_return co_await run_blocking(context.pool, std::move(work));
}

}  // namespace lathe::manager

#include "baseline.hpp"

#include <array>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include <lathe/compression/evaluate.hpp>

#include "costs.hpp"
#include "json_file.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;

struct Figure {
  const char* key;
  std::variant<double Baseline::*, std::int64_t Baseline::*> member;
};

const std::array kFigures{
    Figure{"loss", &Baseline::loss},
    Figure{"parameters", &Baseline::parameters},
    Figure{"macs", &Baseline::macs},
    Figure{"size_bytes", &Baseline::size_bytes},
    Figure{"latency_ms", &Baseline::latency_ms},
};

}  // namespace

Json to_json(const Baseline& baseline) {
  Json json{{"default", baseline.accuracy.value_or(baseline.loss)}};
  if (baseline.accuracy) json["accuracy"] = *baseline.accuracy;
  for (const Figure& figure : kFigures) {
    std::visit([&](auto member) { json[figure.key] = baseline.*member; }, figure.member);
  }
  return json;
}

Result<Baseline> read_baseline(const std::filesystem::path& file) {
  const auto json = read_json(file);
  if (!json) return tl::unexpected(json.error());
  Baseline baseline;
  if (json->is_object() && json->contains("accuracy") && json->at("accuracy").is_number()) {
    baseline.accuracy = json->at("accuracy").get<double>();
  }
  for (const Figure& figure : kFigures) {
    if (!json->is_object() || !json->contains(figure.key) || !json->at(figure.key).is_number()) {
      return fail(fmt::format("{}: {} is missing or not a number", file.string(), figure.key));
    }
    std::visit([&](auto member) { json->at(figure.key).get_to(baseline.*member); }, figure.member);
  }
  return baseline;
}

Result<Baseline> measure_baseline(const Setup& setup, QuietHost& host) {
  const auto quality =
      compression::evaluate(setup.model, setup.test, setup.config.evaluation.batch_size, loss_of(setup.config));
  if (!quality) return tl::unexpected(quality.error());
  const auto macs = compression::count_macs(setup.model, example_inputs(setup.test, 1));
  if (!macs) return tl::unexpected(macs.error());
  const auto times = compare_latencies(setup, {setup.model}, host).front();
  Baseline baseline;
  baseline.accuracy = quality->accuracy;
  baseline.loss = quality->loss;
  baseline.parameters = compression::count_parameters(setup.model);
  baseline.macs = compression::total_macs(*macs);
  baseline.size_bytes = static_cast<std::int64_t>(std::filesystem::file_size(setup.config.model));
  baseline.latency_ms = times.original_ms;
  return baseline;
}

}  // namespace lathe::trial

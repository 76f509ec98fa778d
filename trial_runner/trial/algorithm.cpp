#include "algorithm.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "algorithm_keys.hpp"

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using compression::EntryKeys;

struct AlgorithmName {
  std::string_view name;  ///< lower case
  Algorithm algorithm;
};

constexpr std::array kNames{
    AlgorithmName{"level", Algorithm::Level},
    AlgorithmName{"agp", Algorithm::Agp},
    AlgorithmName{"l1", Algorithm::L1},
    AlgorithmName{"levelpruner", Algorithm::Level},
    AlgorithmName{"agppruner", Algorithm::Agp},
    AlgorithmName{"agp_pruner", Algorithm::Agp},
    AlgorithmName{"l1filter", Algorithm::L1},
    AlgorithmName{"l1norm", Algorithm::L1},
    AlgorithmName{"l1filterpruner", Algorithm::L1},
    AlgorithmName{"l1filter_pruner", Algorithm::L1},
    AlgorithmName{"l1normpruner", Algorithm::L1},
};

constexpr std::array<std::string_view, 10> kQuantizers{
    "naive",         "qat",          "dorefa",          "bnn",          "naivequantizer",
    "qat_quantizer", "qatquantizer", "dorefaquantizer", "bnnquantizer", "lsq"};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// The parameter that names the algorithm, and the object whose keys are its own.
struct Named {
  std::string name;
  Json keys;  ///< without the name
};

Result<Named> split_name(const Json& object, const std::string& name_key) {
  if (!object.at(name_key).is_string()) {
    return fail(fmt::format("parameter {} is {}; expected an algorithm's name", name_key, object.at(name_key).dump()));
  }
  Named named{object.at(name_key).get<std::string>(), object};
  named.keys.erase(name_key);
  return named;
}

Result<Named> find_named(const Json& parameters) {
  if (!parameters.is_object()) return fail(fmt::format("the parameters are {}; expected an object", parameters.dump()));
  std::vector<std::string> nested;
  for (const auto& [key, value] : parameters.items()) {
    if (value.is_object() && value.contains("_name")) nested.push_back(key);
  }
  if (nested.size() > 1) return fail(fmt::format("several parameters name an algorithm: {}", fmt::join(nested, ", ")));
  for (const char* key : {"_name", "algorithm"}) {
    if (nested.empty() && parameters.contains(key)) return split_name(parameters, key);
  }
  if (nested.empty()) {
    return fail(
        fmt::format("no parameter names an algorithm; expected one like {{\"algorithm\": {{\"_name\": \"l1\", …}}}}, "
                    "found {}",
                    parameters.dump()));
  }
  for (const auto& [key, value] : parameters.items()) {
    if (key == nested.front()) continue;
    return fail(fmt::format("parameter {} means nothing to a compression trial; put it into {}", key, nested.front()));
  }
  return split_name(parameters.at(nested.front()), "_name");
}

compression::PruningMetric metric_of(Algorithm algorithm, const AlgorithmKeys& keys) {
  if (algorithm == Algorithm::Agp) return keys.pruning_algorithm;
  return algorithm == Algorithm::L1 ? compression::PruningMetric::L1 : compression::PruningMetric::Level;
}

}  // namespace

Result<Algorithm> find_algorithm(const std::string& name) {
  const std::string wanted = lower(name);
  for (const AlgorithmName& known : kNames) {
    if (known.name == wanted) return known.algorithm;
  }
  if (std::find(kQuantizers.begin(), kQuantizers.end(), wanted) != kQuantizers.end()) {
    return fail(fmt::format("algorithm {}: quantizers are not available yet; known algorithms: level, agp, l1", name));
  }
  return fail(fmt::format("unknown algorithm {}; known algorithms: level, agp, l1", Json(name).dump()));
}

std::string_view name_of(Algorithm algorithm) {
  for (const AlgorithmName& known : kNames) {
    if (known.algorithm == algorithm) return known.name;
  }
  return {};
}

Result<Plan> make_plan(const Json& parameters, const Json& fixed_entries, const std::vector<compression::Layer>& layers,
                       std::int64_t finetuning_epochs) {
  const auto named = find_named(parameters);
  if (!named) return tl::unexpected(named.error());
  const auto algorithm = find_algorithm(named->name);
  if (!algorithm) return tl::unexpected(algorithm.error());
  const bool scheduled = *algorithm == Algorithm::Agp;
  auto keys = read_algorithm_keys(named->keys, *algorithm, layers, finetuning_epochs);
  if (!keys) return fail(fmt::format("algorithm {}: {}", named->name, keys.error().message));
  const auto fixed =
      parse_config_list(fixed_entries, scheduled ? EntryKeys::Scheduled : EntryKeys::OneShot, "compression.configList");
  if (!fixed) return tl::unexpected(fixed.error());
  keys->entries.insert(keys->entries.end(), fixed->begin(), fixed->end());

  Plan plan;
  plan.algorithm = *algorithm;
  plan.metric = metric_of(*algorithm, *keys);
  if (scheduled) plan.schedule = keys->schedule;
  const auto pruner = compression::Pruner::create(plan.metric);
  auto selected = compression::select_layers(keys->entries, layers, pruner->default_types());
  if (!selected) return fail(fmt::format("algorithm {}: {}", named->name, selected.error().message));
  if (auto fit = check_layers(*pruner, selected->layers); !fit) return tl::unexpected(fit.error());
  plan.layers = std::move(selected->layers);
  return plan;
}

}  // namespace lathe::trial

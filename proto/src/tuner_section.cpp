#include "tuner_section.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "key_matching.hpp"
#include "known_keys.hpp"
#include "reader.hpp"

namespace lathe::proto {
namespace {

using nlohmann::ordered_json;

/// Tuners of NNI that are not there yet; naming them is no slip of the pen.
constexpr auto later_tuners = std::to_array<std::string_view>(
    {"GridSearch", "Evolution", "SMAC", "Batch", "Hyperband", "BOHB", "NetworkMorphism", "Metis", "GP", "PBT", "DNGO",
     "PPO", "TPE_legacy", "Random_legacy", "RegularizedEvolution"});

constexpr auto tpe_liars = std::to_array<std::string_view>({"best", "worst", "mean", "none"});
constexpr auto anneal_liars = std::to_array<std::string_view>({"min", "max", "mean"});

constexpr IntegerRange count_range{1, 1'000'000};

/// Copies one checked setting into the canonical classArgs; absent ones are left to the tuner's defaults.
class ArgumentCopier {
 public:
  ArgumentCopier(Fields& fields, ordered_json& into, Problems& problems)
      : fields_(fields), into_(into), problems_(problems) {}

  void count(std::string_view key) {
    if (const auto value = fields_.find(key)) put(key, read_integer(*value, count_range, problems_));
  }
  void positive(std::string_view key) {
    if (const auto value = fields_.find(key)) put(key, read_number(*value, positive_number, problems_));
  }
  void boolean(std::string_view key) {
    if (const auto value = fields_.find(key)) put(key, read_bool(*value, problems_));
  }
  void word(std::string_view key, std::span<const std::string_view> words) {
    const auto value = fields_.find(key);
    if (!value) return;
    if (const auto index = read_name(*value, words, problems_)) into_[key] = words[*index];
  }

 private:
  template <class T>
  void put(std::string_view key, const std::optional<T>& value) {
    if (value) into_[key] = *value;
  }

  Fields& fields_;
  ordered_json& into_;
  Problems& problems_;
};

/// `null` and "none" say the same: pending trials are left out.
void copy_tpe_liar(const Fields& fields, ordered_json& into, Problems& problems) {
  constexpr std::string_view key = "constant_liar_type";
  const auto value = fields.find_even_null(key);
  if (!value) return;
  if (value->json().is_null()) {
    into[key] = nullptr;
  } else if (const auto index = read_name(*value, tpe_liars, problems)) {
    into[key] = tpe_liars[*index] == "none" ? ordered_json(nullptr) : ordered_json(tpe_liars[*index]);
  }
}

void copy_tpe_settings(const Value& value, ordered_json& into, Problems& problems) {
  Fields fields(value, keys::tpe_settings, problems);
  into = ordered_json::object();
  ArgumentCopier copy(fields, into, problems);
  copy_tpe_liar(fields, into, problems);
  copy.count("n_startup_jobs");
  copy.count("n_ei_candidates");
  copy.count("linear_forgetting");
  copy.positive("prior_weight");
  copy.positive("gamma");
}

std::span<const std::string_view> argument_keys(TunerKind kind) {
  switch (kind) {
    case TunerKind::Tpe:
      return keys::tpe_args;
    case TunerKind::Anneal:
      return keys::anneal_args;
    case TunerKind::Random:
      return keys::random_args;
  }
  return {};
}

/// All but the direction, which is returned as it was written.
std::optional<Value> read_class_args(const Value& value, TunerConfig& config, Problems& problems) {
  Fields fields(value, argument_keys(config.kind), problems);
  fields.seed("seed", config.seed);
  ArgumentCopier copy(fields, config.class_args, problems);
  copy.boolean("parallel_optimize");
  copy.word("constant_liar_type", anneal_liars);
  if (const auto settings = fields.find("tpe_args"))
    copy_tpe_settings(*settings, config.class_args["tpe_args"], problems);
  return fields.find("optimize_mode");
}

/// False: there is no tuner of that name, and judging its arguments makes no sense.
bool read_kind(const Value& name, TunerConfig& config, Problems& problems) {
  const auto known = names_of(names::tuners);
  if (!name.json().is_string()) {
    problems.add_mismatch(name, "one of " + listed(known));
    return false;
  }
  const auto& text = name.json().get_ref<const std::string&>();
  const auto is_meant = [&](std::string_view other) { return normalized_key(other) == normalized_key(text); };
  if (const auto row = std::find_if(known.begin(), known.end(), is_meant); row != known.end()) {
    config.kind = names::tuners[static_cast<std::size_t>(row - known.begin())].value;
    return true;
  }
  const bool is_later = std::any_of(later_tuners.begin(), later_tuners.end(), is_meant);
  problems.add(name, fmt::format("{} {}; expected one of {}{}", is_later ? "not supported yet:" : "unknown tuner",
                                 describe(name.json()), listed(known), is_later ? "" : suggestion(text, known)));
  return false;
}

/// The direction of the search: what the objective asks for, else what the author wrote, else NNI's default.
OptimizeMode settle_mode(const std::optional<Value>& field, const std::optional<ObjectiveMetric>& objective,
                         Problems& problems) {
  const auto index = field ? read_name(*field, names_of(names::optimize_modes), problems) : std::nullopt;
  const OptimizeMode written = index ? names::optimize_modes[*index].value : OptimizeMode::Minimize;
  if (!objective) return written;
  const OptimizeMode wanted = is_maximized(*objective) ? OptimizeMode::Maximize : OptimizeMode::Minimize;
  if (index && written != wanted) {
    problems.add(
        *field,
        fmt::format("\"{}\" contradicts compression.objective, whose metric {} is to {}; expected \"{}\", or nothing",
                    to_string(written), to_string(*objective), to_string(wanted), to_string(wanted)));
  }
  return wanted;
}

}  // namespace

TunerConfig read_tuner(const Value& value, const std::optional<ObjectiveMetric>& objective, Problems& problems) {
  TunerConfig config;
  Fields fields(value, keys::tuner, problems);
  if (!fields.is_object()) return config;
  const auto class_name = fields.find("className");
  if (class_name)
    problems.add(*class_name,
                 fmt::format("not supported yet: a tuner of your own, found {}; expected name to be one of {}",
                             describe(class_name->json()), listed(names_of(names::tuners))));
  const auto code = fields.find("codeDirectory");
  if (code && !class_name) problems.add(*code, "goes with className only, which is not supported yet");
  const auto name =
      class_name ? fields.find("name") : fields.require("name", "one of " + listed(names_of(names::tuners)));
  if (!name || !read_kind(*name, config, problems)) return config;

  const auto class_args = fields.find("classArgs");
  const auto mode = class_args ? read_class_args(*class_args, config, problems) : std::nullopt;
  config.optimize_mode = settle_mode(mode, objective, problems);
  config.class_args["optimize_mode"] = to_string(config.optimize_mode);
  if (config.seed) config.class_args["seed"] = *config.seed;
  return config;
}

nlohmann::ordered_json tuner_json(const TunerConfig& config) {
  ordered_json args = config.class_args;
  args["optimize_mode"] = to_string(config.optimize_mode);
  if (config.seed) args["seed"] = *config.seed;
  return {{"name", to_string(config.kind)}, {"classArgs", std::move(args)}};
}

}  // namespace lathe::proto

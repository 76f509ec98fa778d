#include "algorithm_keys.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;
using compression::ConfigEntry;
using compression::EntryKeys;

constexpr std::string_view kConfigList = "config_list::";
constexpr std::string_view kParameter = "parameter::";
constexpr std::int64_t kMostEpochs = 1'000'000;

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

/// NNI's keys of one entry are spread over several parameters; those of the same types and names belong together.
struct GrammarEntry {
  std::string prefix;  ///< `config_list::T::N`
  Json entry = Json::object();
};

Result<void> add_grammar_key(const std::string& key, const Json& value, std::vector<GrammarEntry>& entries) {
  const auto parts = split(key, "::");
  if (parts.size() == 5)
    return fail(fmt::format("{}: a quantizer's key (quant_types::op_types::op_names), but this is a pruner", key));
  if (parts.size() != 4 || parts[3].empty())
    return fail(fmt::format("{}: expected config_list::op_types::op_names::key", key));
  const std::string prefix = fmt::format("{}{}::{}", kConfigList, parts[1], parts[2]);
  GrammarEntry* entry = nullptr;
  for (GrammarEntry& known : entries) {
    if (known.prefix == prefix) entry = &known;
  }
  if (entry == nullptr) {
    entry = &entries.emplace_back(GrammarEntry{prefix});
    if (!parts[1].empty()) entry->entry["op_types"] = split(parts[1], ":");
    if (!parts[2].empty()) entry->entry["op_names"] = split(parts[2], ":");
  }
  if (entry->entry.contains(parts[3])) return fail(fmt::format("{}: {} is said twice", key, parts[3]));
  entry->entry[parts[3]] = value;
  return {};
}

/// `conv1` of `conv1.sparsity` and `conv1_sparsity`.
std::optional<std::string> layer_of_key(const std::string& key) {
  constexpr std::string_view ending = "sparsity";
  if (key.size() < ending.size() + 2 || !key.ends_with(ending)) return std::nullopt;
  const std::size_t mark = key.size() - ending.size() - 1;
  if (key[mark] != '.' && key[mark] != '_') return std::nullopt;
  return key.substr(0, mark);
}

/// Arguments of agp, some of which only make sense together.
struct Arguments {
  AlgorithmKeys& keys;
  std::optional<std::int64_t> iterations;
  std::optional<std::int64_t> epochs_per_iteration;
};

/// An argument's name and value, and where it goes.
using ArgumentReader = Result<void> (*)(const std::string& name, const Json& value, Arguments& arguments);

Result<std::int64_t> read_count(const std::string& name, const Json& value, std::int64_t least) {
  const bool sound = value.is_number_integer() && value.get<double>() >= static_cast<double>(least) &&
                     value.get<double>() <= static_cast<double>(kMostEpochs);
  if (sound) return value.get<std::int64_t>();
  return fail(
      fmt::format("parameter::{} is {}; expected an integer from {} to {}", name, value.dump(), least, kMostEpochs));
}

template <auto Member, std::int64_t Least>
Result<void> read_schedule_count(const std::string& name, const Json& value, Arguments& arguments) {
  return read_count(name, value, Least).map([&](std::int64_t n) { arguments.keys.schedule.*Member = n; });
}

template <auto Member>
Result<void> read_iteration_count(const std::string& name, const Json& value, Arguments& arguments) {
  return read_count(name, value, 1).map([&](std::int64_t n) { arguments.*Member = n; });
}

Result<void> read_initial_sparsity(const std::string& name, const Json& value, Arguments& arguments) {
  const double sparsity = value.is_number() ? value.get<double>() : -1;
  if (!(sparsity >= 0 && sparsity < 1)) {
    return fail(fmt::format("parameter::{} is {}; expected a number s with 0 <= s < 1", name, value.dump()));
  }
  arguments.keys.schedule.initial_sparsity = sparsity;
  return {};
}

Result<void> read_pruning_algorithm(const std::string& name, const Json& value, Arguments& arguments) {
  const auto found = find_algorithm(value.is_string() ? value.get<std::string>() : value.dump());
  if (!found || *found == Algorithm::Agp) {
    return fail(fmt::format("parameter::{} is {}; expected level or l1", name, value.dump()));
  }
  const bool filters = *found == Algorithm::L1;
  arguments.keys.pruning_algorithm = filters ? compression::PruningMetric::L1 : compression::PruningMetric::Level;
  return {};
}

struct Argument {
  std::string_view name;
  ArgumentReader read;
};

constexpr std::array kAgpArguments{
    Argument{"pruning_algorithm", read_pruning_algorithm},
    Argument{"initial_sparsity", read_initial_sparsity},
    Argument{"start_epoch", read_schedule_count<&compression::AgpSchedule::start_epoch, 0>},
    Argument{"end_epoch", read_schedule_count<&compression::AgpSchedule::end_epoch, 0>},
    Argument{"frequency", read_schedule_count<&compression::AgpSchedule::frequency, 1>},
    Argument{"num_iterations", read_iteration_count<&Arguments::iterations>},
    Argument{"epochs_per_iteration", read_iteration_count<&Arguments::epochs_per_iteration>},
};

Result<void> read_argument(const std::string& name, const Json& value, Algorithm algorithm, Arguments& arguments) {
  if (algorithm != Algorithm::Agp) {
    return fail(fmt::format("parameter::{}: {} has no arguments", name, name_of(algorithm)));
  }
  std::vector<std::string_view> known;
  for (const Argument& argument : kAgpArguments) {
    if (argument.name == name) return argument.read(name, value, arguments);
    known.push_back(argument.name);
  }
  return fail(fmt::format("parameter::{}: agp has no such argument; it has {}", name, fmt::join(known, ", ")));
}

/// NNI 2.x counts iterations of so many epochs; NNI 1.x says the same with end_epoch and frequency.
Result<void> settle_iterations(const Json& keys, Arguments& arguments) {
  if (!arguments.iterations && !arguments.epochs_per_iteration) return {};
  for (const char* other : {"parameter::end_epoch", "parameter::frequency"}) {
    if (!keys.contains(other)) continue;
    return fail(fmt::format("{} and num_iterations or epochs_per_iteration say the same thing; keep one", other));
  }
  constexpr std::int64_t default_iterations = 10;  // NNI's
  auto& schedule = arguments.keys.schedule;
  schedule.frequency = arguments.epochs_per_iteration.value_or(1);
  schedule.end_epoch = schedule.start_epoch + schedule.frequency * arguments.iterations.value_or(default_iterations);
  if (schedule.end_epoch <= kMostEpochs) return {};
  return fail(fmt::format("num_iterations and epochs_per_iteration make {} epochs; at most {} are allowed",
                          schedule.end_epoch, kMostEpochs));
}

/// Sorts the keys of one algorithm into what is general, NNI's grammar, single layers and arguments.
class KeyReader {
 public:
  KeyReader(Algorithm algorithm, const std::vector<compression::Layer>& layers, std::int64_t finetuning_epochs)
      : algorithm_(algorithm), layers_(layers) {
    result_.schedule.end_epoch = finetuning_epochs;
  }

  Result<AlgorithmKeys> read(const Json& keys) {
    for (const auto& [key, value] : keys.items()) {
      if (auto taken = take(key, value); !taken) return tl::unexpected(taken.error());
    }
    if (auto settled = settle_iterations(keys, arguments_); !settled) return tl::unexpected(settled.error());
    for (const auto* group : {&general_, &grammar_, &single_}) {
      for (const GrammarEntry& entry : *group) {
        auto parsed = parse(entry);
        if (!parsed) return tl::unexpected(parsed.error());
        result_.entries.push_back(std::move(*parsed));
      }
    }
    return std::move(result_);
  }

 private:
  Result<void> take(const std::string& key, const Json& value) {
    if (key.starts_with(kConfigList)) return add_grammar_key(key, value, grammar_);
    if (key.starts_with(kParameter)) return read_argument(key.substr(kParameter.size()), value, algorithm_, arguments_);
    if (key == "sparsity") {
      general_.push_back({key, {{"sparsity", value}, {"op_types", Json::array({"default"})}}});
      return {};
    }
    const auto layer = layer_of_key(key);
    if (!layer) {
      return fail(
          fmt::format("unknown key {}; expected sparsity, LAYER.sparsity, LAYER_sparsity, "
                      "config_list::op_types::op_names::key or parameter::name",
                      key));
    }
    single_.push_back({key, {{"sparsity", value}, {"op_names", Json::array({written_name(*layer)})}}});
    return {};
  }

  /// Names with dots cannot always be written in a key, so `features_0` will do for `features.0`.
  [[nodiscard]] std::string written_name(const std::string& name) const {
    const auto has = [this](const std::string& wanted) {
      for (const auto& layer : layers_) {
        if (layer.name == wanted) return true;
      }
      return false;
    };
    if (has(name)) return name;
    std::string dotted = name;
    for (char& c : dotted) c = c == '_' ? '.' : c;
    return has(dotted) ? dotted : name;
  }

  [[nodiscard]] Result<ConfigEntry> parse(const GrammarEntry& entry) const {
    const auto known = algorithm_ == Algorithm::Agp ? EntryKeys::Scheduled : EntryKeys::OneShot;
    return compression::parse_config_entry(entry.entry, known, entry.prefix);
  }

  Algorithm algorithm_;
  const std::vector<compression::Layer>& layers_;
  AlgorithmKeys result_;
  Arguments arguments_{result_, {}, {}};
  std::vector<GrammarEntry> general_;
  std::vector<GrammarEntry> grammar_;
  std::vector<GrammarEntry> single_;
};

}  // namespace

Result<AlgorithmKeys> read_algorithm_keys(const Json& keys, Algorithm algorithm,
                                          const std::vector<compression::Layer>& layers,
                                          std::int64_t finetuning_epochs) {
  return KeyReader(algorithm, layers, finetuning_epochs).read(keys);
}

}  // namespace lathe::trial

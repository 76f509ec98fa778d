#include "algorithms/algorithm_keys.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::trial {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kConfigList = "config_list::";
constexpr std::string_view kParameter = "parameter::";

/// Keys of config_list entries that are no selectors. Whether an algorithm has a use for one is judged where the entry
/// is parsed.
constexpr std::array<std::string_view, 18> kEntryKeys{"sparsity",
                                                      "sparsity_per_layer",
                                                      "total_sparsity",
                                                      "max_sparsity_per_layer",
                                                      "initial_sparsity",
                                                      "final_sparsity",
                                                      "start_epoch",
                                                      "end_epoch",
                                                      "frequency",
                                                      "prune_iterations",
                                                      "rho",
                                                      "row",
                                                      "quant_types",
                                                      "quant_bits",
                                                      "quant_dtype",
                                                      "quant_scheme",
                                                      "quant_start_step",
                                                      "exclude"};

bool is_entry_key(std::string_view key) {
  return std::find(kEntryKeys.begin(), kEntryKeys.end(), key) != kEntryKeys.end();
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

Result<NamedAlgorithm> split_name(const Json& object, const std::string& name_key) {
  if (!object.at(name_key).is_string()) {
    return fail(fmt::format("parameter {} is {}; expected an algorithm's name", name_key, object.at(name_key).dump()));
  }
  NamedAlgorithm named{object.at(name_key).get<std::string>(), object};
  named.keys.erase(name_key);
  return named;
}

/// `conv1` and `quant_bits` of `conv1.quant_bits` and `conv1_quant_bits`.
struct LayerKey {
  std::string layer;
  std::string key;
};

std::optional<LayerKey> layer_key(const std::string& text) {
  std::optional<LayerKey> longest;
  for (const std::string_view key : kEntryKeys) {
    if (text.size() < key.size() + 2 || !text.ends_with(key)) continue;
    const std::size_t mark = text.size() - key.size() - 1;
    if (text[mark] != '.' && text[mark] != '_') continue;
    if (!longest || key.size() > longest->key.size()) longest = LayerKey{text.substr(0, mark), std::string(key)};
  }
  return longest;
}

/// Entries by what selects them; keys of the same selector belong together.
class EntryGroup {
 public:
  WrittenEntry& entry(const std::string& label) {
    for (WrittenEntry& known : entries_)
      if (known.label == label) return known;
    return entries_.emplace_back(WrittenEntry{label, Json::object()});
  }
  [[nodiscard]] std::vector<WrittenEntry>& entries() { return entries_; }

 private:
  std::vector<WrittenEntry> entries_;
};

Result<void> put(WrittenEntry& entry, const std::string& written, const std::string& key, const Json& value) {
  if (entry.entry.contains(key)) return fail(fmt::format("{}: {} is said twice", written, key));
  entry.entry[key] = value;
  return {};
}

class Sorter {
 public:
  Sorter(const DefaultEntry& defaults, const std::vector<std::string>& layers) : defaults_(defaults), layers_(layers) {}

  Result<AlgorithmKeys> sort(const Json& keys) {
    for (const auto& [key, value] : keys.items()) {
      if (auto taken = take(key, value); !taken) return tl::unexpected(taken.error());
    }
    for (EntryGroup* group : {&general_, &grammar_, &single_}) {
      for (WrittenEntry& entry : group->entries()) {
        if (group == &single_) inherit(entry.entry, general_);
        fill_in(entry.entry);
        result_.entries.push_back(std::move(entry));
      }
    }
    return std::move(result_);
  }

 private:
  Result<void> take(const std::string& key, const Json& value) {
    if (key.starts_with(kConfigList)) return take_grammar(key, value);
    if (key.starts_with(kParameter)) {
      result_.arguments.emplace_back(key.substr(kParameter.size()), value);
      return {};
    }
    if (is_entry_key(key)) {
      WrittenEntry& entry = general_.entry(std::string(kAllLayers));
      entry.entry["op_types"] = defaults_.op_types;
      return put(entry, key, key, value);
    }
    const auto single = layer_key(key);
    if (!single) {
      return fail(
          fmt::format("unknown key {}; expected a key such as sparsity or quant_bits, LAYER.KEY, LAYER_KEY, "
                      "config_list::op_types::op_names::KEY or parameter::NAME",
                      key));
    }
    const std::string layer = written_name(single->layer);
    WrittenEntry& entry = single_.entry(layer);
    entry.entry["op_names"] = Json::array({layer});
    return put(entry, key, single->key, value);
  }

  Result<void> take_grammar(const std::string& key, const Json& value) {
    const auto parts = split(key, "::");
    const bool of_quantizer = parts.size() == 5;
    if ((parts.size() != 4 && !of_quantizer) || parts.back().empty()) {
      return fail(
          fmt::format("{}: expected config_list::op_types::op_names::key, or for a quantizer "
                      "config_list::quant_types::op_types::op_names::key",
                      key));
    }
    WrittenEntry& entry = grammar_.entry(key.substr(0, key.rfind("::")));
    const std::size_t types = of_quantizer ? 2 : 1;
    if (of_quantizer && !parts[1].empty()) entry.entry["quant_types"] = split(parts[1], ":");
    if (!parts[types].empty()) entry.entry["op_types"] = split(parts[types], ":");
    if (!parts[types + 1].empty()) entry.entry["op_names"] = split(parts[types + 1], ":");
    return put(entry, key, parts.back(), value);
  }

  /// Names with dots cannot always be written in a key, so `features_0` will do for `features.0`.
  [[nodiscard]] std::string written_name(const std::string& name) const {
    const auto has = [this](const std::string& wanted) {
      return std::find(layers_.begin(), layers_.end(), wanted) != layers_.end();
    };
    if (has(name)) return name;
    for (const std::string& layer : layers_) {
      std::string underlined = layer;
      std::replace(underlined.begin(), underlined.end(), '.', '_');
      if (underlined == name) return layer;
    }
    return name;
  }

  static void inherit(Json& entry, EntryGroup& general) {
    for (const WrittenEntry& all : general.entries()) {
      for (const auto& [key, value] : all.entry.items()) {
        if (key != "op_types" && !says(entry, key)) entry[key] = value;
      }
    }
  }

  void fill_in(Json& entry) const {
    if (entry.contains("exclude")) return;
    for (const auto& [key, value] : defaults_.keys.items())
      if (!entry.contains(key)) entry[key] = value;
  }

  /// Whether the entry says it, in whichever spelling.
  static bool says(const Json& entry, const std::string& key) {
    if (entry.contains(key) || entry.contains("exclude")) return true;
    const auto is_sparsity = [](const std::string& name) {
      return name == "sparsity" || name == "sparsity_per_layer" || name == "final_sparsity" ||
             name == "total_sparsity" || name == "max_sparsity_per_layer";
    };
    return is_sparsity(key) && std::any_of(entry.items().begin(), entry.items().end(),
                                           [&](const auto& item) { return is_sparsity(item.key()); });
  }

  static constexpr std::string_view kAllLayers = "every layer";

  const DefaultEntry& defaults_;
  const std::vector<std::string>& layers_;
  AlgorithmKeys result_;
  EntryGroup general_;
  EntryGroup grammar_;
  EntryGroup single_;
};

}  // namespace

Result<NamedAlgorithm> find_named_algorithm(const Json& parameters) {
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

Result<AlgorithmKeys> sort_algorithm_keys(const Json& keys, const DefaultEntry& defaults,
                                          const std::vector<std::string>& layers) {
  return Sorter(defaults, layers).sort(keys);
}

}  // namespace lathe::trial

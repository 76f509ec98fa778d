#include <lathe/compression/config_list.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

/// A key of an entry, its value, and the entry it is in: all that a reader needs to read it or to say why not.
struct Field {
  const std::string& label;
  const std::string& key;
  const Json& value;

  [[nodiscard]] tl::unexpected<Error> expected(std::string_view what) const {
    return fail(fmt::format("{}: {} is {}; expected {}", label, key, value.dump(), what));
  }
};

using Reader = Result<void> (*)(const Field&, ConfigEntry&);

Result<double> read_sparsity(const Field& field) {
  constexpr auto range = "a number s with 0 <= s < 1";
  if (!field.value.is_number()) return field.expected(range);
  const double sparsity = field.value.get<double>();
  if (!(sparsity >= 0 && sparsity < 1)) return field.expected(range);
  return sparsity;
}

Result<std::int64_t> read_epoch_number(const Field& field, std::int64_t least) {
  constexpr double most = 1'000'000;
  const auto what = fmt::format("an integer from {} to {}", least, most);
  if (!field.value.is_number_integer()) return field.expected(what);
  const double number = field.value.get<double>();
  if (number < static_cast<double>(least) || number > most) return field.expected(what);
  return field.value.get<std::int64_t>();
}

Result<void> read_names(const Field& field, std::optional<Names>& names) {
  constexpr auto what = "a list of one or more strings";
  if (!field.value.is_array() || field.value.empty()) return field.expected(what);
  names.emplace();
  for (const Json& item : field.value) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty()) return field.expected(what);
    names->push_back(item.get<std::string>());
  }
  return {};
}

template <auto Member>
Result<void> read_name_list(const Field& field, ConfigEntry& entry) {
  return read_names(field, entry.*Member);
}

Result<void> read_op_name(const Field& field, ConfigEntry& entry) {
  if (!field.value.is_string() || field.value.get_ref<const std::string&>().empty()) {
    return field.expected("the name of one layer");
  }
  entry.op_names = Names{field.value.get<std::string>()};
  return {};
}

Result<void> read_exclude(const Field& field, ConfigEntry& entry) {
  if (!field.value.is_boolean()) return field.expected("true or false");
  entry.exclude = field.value.get<bool>();
  return {};
}

Result<void> read_final_sparsity(const Field& field, ConfigEntry& entry) {
  return read_sparsity(field).map([&](double sparsity) { entry.target.sparsity = sparsity; });
}

Result<void> read_initial_sparsity(const Field& field, ConfigEntry& entry) {
  return read_sparsity(field).map([&](double sparsity) { entry.target.initial_sparsity = sparsity; });
}

template <auto Member, std::int64_t Least>
Result<void> read_epochs(const Field& field, ConfigEntry& entry) {
  return read_epoch_number(field, Least).map([&](std::int64_t number) { entry.target.*Member = number; });
}

struct KeyReader {
  std::string_view key;
  EntryKeys from;  ///< the smaller key set that already has it
  Reader read;
};

constexpr std::array kReaders{
    KeyReader{"sparsity", EntryKeys::OneShot, read_final_sparsity},
    KeyReader{"sparsity_per_layer", EntryKeys::OneShot, read_final_sparsity},
    KeyReader{"op_types", EntryKeys::OneShot, read_name_list<&ConfigEntry::op_types>},
    KeyReader{"op_names", EntryKeys::OneShot, read_name_list<&ConfigEntry::op_names>},
    KeyReader{"op_name", EntryKeys::OneShot, read_op_name},
    KeyReader{"op_partial_names", EntryKeys::OneShot, read_name_list<&ConfigEntry::op_partial_names>},
    KeyReader{"exclude", EntryKeys::OneShot, read_exclude},
    KeyReader{"initial_sparsity", EntryKeys::Scheduled, read_initial_sparsity},
    KeyReader{"final_sparsity", EntryKeys::Scheduled, read_final_sparsity},
    KeyReader{"start_epoch", EntryKeys::Scheduled, read_epochs<&SparsityTarget::start_epoch, 0>},
    KeyReader{"end_epoch", EntryKeys::Scheduled, read_epochs<&SparsityTarget::end_epoch, 0>},
    KeyReader{"frequency", EntryKeys::Scheduled, read_epochs<&SparsityTarget::frequency, 1>},
};

const KeyReader* find_reader(std::string_view key, EntryKeys keys) {
  for (const KeyReader& reader : kReaders) {
    const bool allowed = reader.from == EntryKeys::OneShot || keys == EntryKeys::Scheduled;
    if (allowed && reader.key == key) return &reader;
  }
  return nullptr;
}

tl::unexpected<Error> unknown_key(const std::string& label, const std::string& key, EntryKeys keys) {
  std::vector<std::string_view> known;
  for (const KeyReader& reader : kReaders) {
    if (find_reader(reader.key, keys) != nullptr) known.push_back(reader.key);
  }
  const bool scheduled = find_reader(key, EntryKeys::Scheduled) != nullptr;
  return fail(fmt::format("{}: {} {}; known keys: {}", label, key,
                          scheduled ? "is a key of agp, which this algorithm has no use for" : "is not a known key",
                          fmt::join(known, ", ")));
}

/// At most one of these; returns the one that is there.
Result<std::string> only_one_of(const Json& json, const Names& keys, const std::string& label) {
  std::string found;
  for (const std::string& key : keys) {
    if (!json.contains(key)) continue;
    if (!found.empty()) return fail(fmt::format("{}: {} and {} say the same thing; keep one", label, found, key));
    found = key;
  }
  return found;
}

Result<void> check_whole(const Json& json, const ConfigEntry& entry) {
  const auto names = only_one_of(json, {"op_name", "op_names"}, entry.label);
  if (!names) return tl::unexpected(names.error());
  const auto sparsity = only_one_of(json, {"sparsity", "sparsity_per_layer", "final_sparsity"}, entry.label);
  if (!sparsity) return tl::unexpected(sparsity.error());
  if (!entry.op_types && !entry.op_names && !entry.op_partial_names) {
    return fail(fmt::format("{}: no selector; expected op_types, op_names or op_partial_names", entry.label));
  }
  if (entry.exclude) return {};
  if (sparsity->empty()) return fail(fmt::format("{}: sparsity is missing (or exclude: true)", entry.label));
  const SparsityTarget& target = entry.target;
  if (target.initial_sparsity.value_or(0) > target.sparsity) {
    return fail(fmt::format("{}: initial_sparsity {} is above the final sparsity {}; pruning only grows", entry.label,
                            *target.initial_sparsity, target.sparsity));
  }
  return {};
}

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool type_matches(const ConfigEntry& entry, const Layer& layer, const Names& default_types) {
  if (!entry.op_types) return true;
  if (contains(*entry.op_types, layer.type)) return true;
  return contains(*entry.op_types, "default") && contains(default_types, layer.type);
}

bool name_matches(const ConfigEntry& entry, const Layer& layer) {
  if (!entry.op_names && !entry.op_partial_names) return true;
  if (entry.op_names && contains(*entry.op_names, layer.name)) return true;
  return entry.op_partial_names &&
         std::any_of(entry.op_partial_names->begin(), entry.op_partial_names->end(),
                     [&](const std::string& part) { return layer.name.find(part) != std::string::npos; });
}

/// A name that nothing answers to is a typo, and the trial would silently do less than was asked.
Result<void> check_names(const ConfigEntry& entry, const std::vector<Layer>& layers) {
  Names names;
  for (const Layer& layer : layers) names.push_back(layer.name);
  for (const std::string& name : entry.op_names.value_or(Names{})) {
    if (contains(names, name)) continue;
    const auto nearest = nearest_names(name, names);
    return fail(fmt::format("{}: the model has no layer {}{}", entry.label, Json(name).dump(),
                            nearest.empty() ? "" : fmt::format("; nearest: {}", fmt::join(nearest, ", "))));
  }
  for (const std::string& part : entry.op_partial_names.value_or(Names{})) {
    const auto has_part = [&](const std::string& name) { return name.find(part) != std::string::npos; };
    if (std::none_of(names.begin(), names.end(), has_part)) {
      return fail(fmt::format("{}: op_partial_names: no layer's name contains {}; layers: {}", entry.label,
                              Json(part).dump(), fmt::join(names, ", ")));
    }
  }
  return {};
}

}  // namespace

Result<ConfigEntry> parse_config_entry(const Json& json, EntryKeys keys, std::string label) {
  if (!json.is_object()) return fail(fmt::format("{} is {}; expected an object", label, json.dump()));
  ConfigEntry entry;
  entry.label = std::move(label);
  for (const auto& [key, value] : json.items()) {
    const KeyReader* reader = find_reader(key, keys);
    if (reader == nullptr) return unknown_key(entry.label, key, keys);
    if (auto read = reader->read(Field{entry.label, key, value}, entry); !read) return tl::unexpected(read.error());
  }
  if (auto whole = check_whole(json, entry); !whole) return tl::unexpected(whole.error());
  return entry;
}

Result<std::vector<ConfigEntry>> parse_config_list(const Json& json, EntryKeys keys, const std::string& name) {
  if (!json.is_array()) return fail(fmt::format("{} is {}; expected a list of objects", name, json.dump()));
  std::vector<ConfigEntry> entries;
  for (std::size_t i = 0; i < json.size(); ++i) {
    auto entry = parse_config_entry(json[i], keys, fmt::format("{}[{}]", name, i));
    if (!entry) return tl::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<std::vector<SelectedLayer>> select_layers(const std::vector<ConfigEntry>& entries,
                                                 const std::vector<Layer>& layers,
                                                 const std::vector<std::string>& default_types) {
  for (const ConfigEntry& entry : entries) {
    if (auto names = check_names(entry, layers); !names) return tl::unexpected(names.error());
  }
  std::vector<SelectedLayer> selected;
  for (const Layer& layer : layers) {
    const ConfigEntry* last = nullptr;
    for (const ConfigEntry& entry : entries) {
      if (type_matches(entry, layer, default_types) && name_matches(entry, layer)) last = &entry;
    }
    if (last != nullptr && !last->exclude && layer.weight.defined()) selected.push_back({layer, last->target});
  }
  if (!selected.empty()) return selected;
  Names present;
  for (const Layer& layer : layers) present.push_back(fmt::format("{} ({})", layer.name, layer.type));
  return fail(fmt::format("the config_list selects no layer; the model has: {}", fmt::join(present, ", ")));
}

}  // namespace lathe::compression

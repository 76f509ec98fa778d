#include <lathe/compression/config_list.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/compression/quantizer_rules.hpp>

#include "config/entry_keys.hpp"
#include "config/prune_iterations.hpp"

namespace lathe::compression {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

std::vector<EntryKey> all_keys() {
  std::vector<EntryKey> keys;
  for (const auto group : {selector_keys(), sparsity_keys(), quant_keys()}) {
    keys.insert(keys.end(), group.begin(), group.end());
  }
  return keys;
}

tl::unexpected<Error> refuse_key(const std::string& label, const std::string& key, EntryKeys keys) {
  std::vector<std::string_view> known;
  std::string why = "is not a known key";
  for (const EntryKey& candidate : all_keys()) {
    if ((candidate.families & family(keys)) != 0) known.push_back(candidate.name);
    if (candidate.name == key) {
      why = fmt::format("is a key of {}, which this algorithm has no use for", candidate.owner);
    }
  }
  return fail(fmt::format("{}: {} {}; known keys: {}", label, key, why, fmt::join(known, ", ")));
}

Result<void> read_key(const EntryField& field, EntryKeys keys, ConfigEntry& entry) {
  for (const EntryKey& candidate : all_keys()) {
    const bool allowed = (candidate.families & family(keys)) != 0;
    if (allowed && candidate.name == field.key) return candidate.read(field, entry);
  }
  return refuse_key(field.label, field.key, keys);
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

Result<void> check_sparsity(const Json& json, const ConfigEntry& entry) {
  const Names spellings{"sparsity", "sparsity_per_layer", "final_sparsity", "total_sparsity"};
  const auto sparsity = only_one_of(json, spellings, entry.label);
  if (!sparsity) return tl::unexpected(sparsity.error());
  if (json.contains("max_sparsity_per_layer") && !entry.shares_sparsity) {
    return fail(
        fmt::format("{}: max_sparsity_per_layer limits the layers of a total_sparsity, which is missing", entry.label));
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

Result<void> check_quant(const Json& json, const ConfigEntry& entry) {
  if (entry.exclude) return {};
  if (entry.quant.types.empty()) {
    return fail(fmt::format("{}: quant_types is missing (or exclude: true)", entry.label));
  }
  if (!json.contains("quant_bits")) return {};
  for (const QuantType type : entry.quant.types) {
    if (entry.quant.bits[static_cast<std::size_t>(type)]) continue;
    return fail(
        fmt::format("{}: quant_bits is {}; expected the bits of every one of the quant_types, and {} is missing",
                    entry.label, json.at("quant_bits").dump(), name_of(type)));
  }
  return {};
}

Result<void> check_whole(const Json& json, EntryKeys keys, const ConfigEntry& entry) {
  for (const Names& spellings : {Names{"op_name", "op_names"}, Names{"rho", "row"}}) {
    if (const auto one = only_one_of(json, spellings, entry.label); !one) return tl::unexpected(one.error());
  }
  if (!entry.op_types && !entry.op_names && !entry.op_partial_names) {
    return fail(fmt::format("{}: no selector; expected op_types, op_names or op_partial_names", entry.label));
  }
  return keys == EntryKeys::Quantizer ? check_quant(json, entry) : check_sparsity(json, entry);
}

}  // namespace

Result<ConfigEntry> parse_config_entry(const Json& json, EntryKeys keys, std::string label) {
  if (!json.is_object()) return fail(fmt::format("{} is {}; expected an object", label, json.dump()));
  ConfigEntry entry;
  entry.label = std::move(label);
  for (const auto& [key, value] : json.items()) {
    if (auto read = read_key({entry.label, key, value}, keys, entry); !read) return tl::unexpected(read.error());
  }
  if (auto whole = check_whole(json, keys, entry); !whole) return tl::unexpected(whole.error());
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
  if (const auto same = common_prune_iterations(entries); !same) return tl::unexpected(same.error());
  return entries;
}

}  // namespace lathe::compression

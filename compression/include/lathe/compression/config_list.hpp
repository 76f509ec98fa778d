// NNI's config_list: which layers are compressed, and how sparse each becomes.
//
// Layers are visited in definition order and every entry is tried on each. An entry matches when all of its selectors
// hold; the last match wins and replaces earlier ones whole, an `exclude` included. `exclude` counts by its truth
// value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Which keys an entry may hold besides selectors and `exclude`.
enum class EntryKeys {
  OneShot,    ///< sparsity or sparsity_per_layer
  Scheduled,  ///< those, and AGP's initial_sparsity, final_sparsity, start_epoch, end_epoch, frequency
};

/// What one layer is to become.
struct SparsityTarget {
  double sparsity = 0;                     ///< 0 <= s < 1; the final one when there is a schedule
  std::optional<double> initial_sparsity;  ///< 0 <= s <= sparsity
  std::optional<std::int64_t> start_epoch;
  std::optional<std::int64_t> end_epoch;  ///< first epoch after the schedule
  std::optional<std::int64_t> frequency;  ///< epochs between two refreshes, > 0
  /// Index of the entry whose layers share `sparsity` as a total over all of their weights (total_sparsity); none: each
  /// layer has it on its own.
  std::optional<std::size_t> pool = {};
  double max_sparsity = 0.99;  ///< 0 < m <= 1, of one layer of a pool

  friend bool operator==(const SparsityTarget&, const SparsityTarget&) = default;
};

struct ConfigEntry {
  std::string label;                                 ///< how errors call it, e.g. `config_list[0]`
  std::optional<std::vector<std::string>> op_types;  ///< class names; `default` stands for the algorithm's own
  /// Layer names; `op_name` is the same with one name. op_partial_names (substrings) add to them.
  std::optional<std::vector<std::string>> op_names;
  std::optional<std::vector<std::string>> op_partial_names;
  bool exclude = false;
  SparsityTarget target;
};

/// Errors name the entry, the key, the value found and what was expected: an unknown key, a wrong type, a sparsity
/// outside [0, 1), no selector, neither sparsity nor exclude.
[[nodiscard]] Result<ConfigEntry> parse_config_entry(const nlohmann::ordered_json& json, EntryKeys keys,
                                                     std::string label);

/// A whole list; entries are labelled `name[0]`, `name[1]`, …
[[nodiscard]] Result<std::vector<ConfigEntry>> parse_config_list(const nlohmann::ordered_json& json, EntryKeys keys,
                                                                 const std::string& name = "config_list");

/// A layer that is to be compressed.
struct SelectedLayer {
  Layer layer;
  SparsityTarget target;
};

/// The layers with a weight that `entries` select, in definition order. `default_types` is what `default` stands for.
/// Errors: a name that no layer has (the nearest are listed), a partial name that no layer contains, nothing selected.
[[nodiscard]] Result<std::vector<SelectedLayer>> select_layers(const std::vector<ConfigEntry>& entries,
                                                               const std::vector<Layer>& layers,
                                                               const std::vector<std::string>& default_types);

}  // namespace lathe::compression

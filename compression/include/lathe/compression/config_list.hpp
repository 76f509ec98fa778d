// NNI's config_list: which layers are compressed, and how.
//
// Layers are visited in definition order and every entry is tried on each. An entry matches when all of its selectors
// hold; the last match wins and replaces earlier ones whole, an `exclude` included. `exclude` counts by its truth
// value.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/compression/model.hpp>
#include <lathe/compression/quant_config.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct QuantizerRules;

/// Which keys an entry may hold besides selectors and `exclude`, by the kind of algorithm it is for.
enum class EntryKeys {
  OneShot,    ///< sparsity, sparsity_per_layer, or total_sparsity with max_sparsity_per_layer
  Scheduled,  ///< those, and AGP's initial_sparsity, final_sparsity, start_epoch, end_epoch, frequency
  Lottery,    ///< those of OneShot, and prune_iterations
  Admm,       ///< sparsity or sparsity_per_layer, and rho (or row)
  Quantizer,  ///< quant_types, quant_bits, quant_dtype, quant_scheme, quant_start_step
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
  double max_sparsity = 0.99;                         ///< 0 < m <= 1, of one layer of a pool
  std::optional<std::int64_t> prune_iterations = {};  ///< rounds of a lottery ticket, > 0; the same for all layers
  std::optional<double> rho = {};                     ///< of ADMM's penalty, > 0

  friend bool operator==(const SparsityTarget&, const SparsityTarget&) = default;
};

/// What of a layer can be quantized, in the order of QuantKeys' arrays.
enum class QuantType { Weight, Input, Output };

/// One setting for each quant_type; none where the entry does not say.
template <class T>
using PerQuantType = std::array<std::optional<T>, 3>;

/// The keys of a quantizer as an entry says them.
struct QuantKeys {
  std::vector<QuantType> types;  ///< quant_types, each once
  PerQuantType<int> bits;        ///< 0 < bits < 32
  PerQuantType<QuantDtype> dtype;
  PerQuantType<QuantScheme> scheme;
  std::optional<std::int64_t> start_step;  ///< >= 0
};

struct ConfigEntry {
  std::string label;                                 ///< how errors call it, e.g. `config_list[0]`
  std::optional<std::vector<std::string>> op_types;  ///< class names; `default` stands for the algorithm's own
  /// Layer names; `op_name` is the same with one name. op_partial_names (substrings) add to them.
  std::optional<std::vector<std::string>> op_names;
  std::optional<std::vector<std::string>> op_partial_names;
  bool exclude = false;
  SparsityTarget target;                         ///< of a pruner; `pool` is set by select_layers
  bool shares_sparsity = false;                  ///< total_sparsity: target.sparsity is of all its layers together
  std::map<std::string, double> max_sparsities;  ///< max_sparsity_per_layer by layer; others have the target's
  QuantKeys quant;                               ///< of a quantizer
};

/// Errors name the entry, the key, the value found and what was expected: a key that is unknown or another algorithm's,
/// a wrong type, a value out of range, no selector, neither a target nor `exclude`, two keys that contradict each
/// other, quant_bits that leave out one of the quant_types.
[[nodiscard]] Result<ConfigEntry> parse_config_entry(const nlohmann::ordered_json& json, EntryKeys keys,
                                                     std::string label);

/// A whole list; entries are labelled `name[0]`, `name[1]`, … Errors also: prune_iterations that differ.
[[nodiscard]] Result<std::vector<ConfigEntry>> parse_config_list(const nlohmann::ordered_json& json, EntryKeys keys,
                                                                 const std::string& name = "config_list");

/// A layer that is to be pruned.
struct SelectedLayer {
  Layer layer;
  SparsityTarget target;
};

/// What a config_list selects, in definition order, and what in it has no effect: names that no layer has (with the
/// nearest), parts that no layer's name contains, entries that match nothing.
struct Selection {
  std::vector<SelectedLayer> layers;  ///< never empty
  std::vector<std::string> warnings;
};

/// The layers with a weight that `entries` select among `layers` (of layers_of). `default_types` is what `default`
/// stands for. Errors: nothing selected, prune_iterations that differ.
[[nodiscard]] Result<Selection> select_layers(const std::vector<ConfigEntry>& entries, const std::vector<Layer>& layers,
                                              const std::vector<std::string>& default_types);

/// The same for a quantizer.
struct QuantizedSelection {
  std::vector<QuantizedLayer> layers;  ///< never empty
  std::vector<std::string> warnings;
};

/// The modules that `entries` select among `modules` (of modules_of), and how each is quantized. A module without
/// weight has its quant_type `weight` left out, with a warning. Errors: nothing selected, and what `rules` do not
/// allow.
[[nodiscard]] Result<QuantizedSelection> select_quantized(const std::vector<ConfigEntry>& entries,
                                                          const std::vector<Layer>& modules,
                                                          const QuantizerRules& rules);

}  // namespace lathe::compression

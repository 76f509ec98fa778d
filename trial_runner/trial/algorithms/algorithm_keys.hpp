// The parameter that names an algorithm, and the keys beside the name, sorted into config_list entries and arguments.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "result.hpp"

namespace lathe::trial {

/// An algorithm's name as it was written, and the keys that are its own.
struct NamedAlgorithm {
  std::string name;
  nlohmann::ordered_json keys;  ///< without the name
};

/// The algorithm is the one parameter whose value is an object with `_name` (under any key), or a string-valued
/// `algorithm` or `_name` at the top.
[[nodiscard]] Result<NamedAlgorithm> find_named_algorithm(const nlohmann::ordered_json& parameters);

/// One entry of a config_list as JSON, and what errors call it.
struct WrittenEntry {
  std::string label;
  nlohmann::ordered_json entry;
};

struct AlgorithmKeys {
  std::vector<WrittenEntry> entries;                                      ///< weakest first
  std::vector<std::pair<std::string, nlohmann::ordered_json>> arguments;  ///< of `parameter::NAME`, in order
};

/// What a key without selector speaks of.
struct DefaultEntry {
  std::vector<std::string> op_types;                               ///< selectors of the general entry
  nlohmann::ordered_json keys = nlohmann::ordered_json::object();  ///< what an entry has unless it says otherwise
};

/// Keys are, the later in this list the stronger:
///   KEY                         of all layers of `defaults.op_types`: sparsity, quant_bits, …
///   config_list::T::N::KEY      NNI's grammar for pruners, config_list::Q::T::N::KEY for quantizers; Q, T and N are
///                               quant_types, op_types and op_names joined by ':', each may be empty
///   LAYER.KEY, LAYER_KEY        of one layer, which keeps the general keys that it does not override
///   parameter::NAME             an argument of the algorithm
/// `layers` are the names of all modules. Errors name the key.
[[nodiscard]] Result<AlgorithmKeys> sort_algorithm_keys(const nlohmann::ordered_json& keys,
                                                        const DefaultEntry& defaults,
                                                        const std::vector<std::string>& layers);

}  // namespace lathe::trial

// What each quantizer accepts in its config_list, as data: NNI's validation schemas in one table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct QuantizerRules {
  std::string name;                        ///< naive, qat, dorefa, bnn, lsq, observer
  std::vector<std::string> op_types;       ///< class names that op_types may hold; empty: any
  std::vector<std::string> default_types;  ///< what `default` stands for; empty: `default` is refused
  std::vector<std::string> general_types;  ///< what a setting speaks of that names neither types nor layers
  std::vector<QuantType> quant_types;      ///< those it can quantize
  int least_bits = 1;
  int most_bits = 31;
  std::optional<int> bits = {};  ///< where an entry does not say; none: it has to
  bool has_grid_keys = false;    ///< takes quant_dtype, quant_scheme and quant_start_step
};

/// By short name; nullptr for a name that no quantizer has.
[[nodiscard]] const QuantizerRules* find_quantizer_rules(std::string_view name);

/// Whether `entry` asks for no more than `rules` allow; the error names the entry, the key, the value found and what
/// was expected.
[[nodiscard]] Result<void> check_quantizer_entry(const ConfigEntry& entry, const QuantizerRules& rules);

/// weight, input, output.
[[nodiscard]] std::string_view name_of(QuantType type);

}  // namespace lathe::compression

#include <fmt/format.h>

#include <lathe/compression/quantizer_rules.hpp>

#include "config/entry_match.hpp"

namespace lathe::compression {
namespace {

QuantSpec spec_of(const QuantKeys& keys, QuantType type, const QuantizerRules& rules) {
  const auto index = static_cast<std::size_t>(type);
  QuantSpec spec;
  spec.bits = keys.bits[index].value_or(rules.bits.value_or(spec.bits));
  spec.dtype = keys.dtype[index].value_or(spec.dtype);
  spec.scheme = keys.scheme[index].value_or(spec.scheme);
  return spec;
}

std::optional<QuantSpec>& part_of(QuantTarget& target, QuantType type) {
  if (type == QuantType::Weight) return target.weight;
  return type == QuantType::Input ? target.input : target.output;
}

QuantTarget target_of(const QuantKeys& keys, const QuantizerRules& rules) {
  QuantTarget target;
  for (const QuantType type : keys.types) part_of(target, type) = spec_of(keys, type, rules);
  target.start_step = keys.start_step.value_or(0);
  return target;
}

}  // namespace

Result<QuantizedSelection> select_quantized(const std::vector<ConfigEntry>& entries, const std::vector<Layer>& modules,
                                            const QuantizerRules& rules) {
  for (const ConfigEntry& entry : entries) {
    if (auto fits = check_quantizer_entry(entry, rules); !fits) return tl::unexpected(fits.error());
  }
  QuantizedSelection selection{{}, unmatched_warnings(entries, modules, rules.default_types)};
  for (const Layer& module : modules) {
    const ConfigEntry* entry = last_match(entries, module, rules.default_types);
    if (entry == nullptr || entry->exclude) continue;
    QuantTarget target = target_of(entry->quant, rules);
    if (target.weight && !module.weight.defined()) {
      target.weight.reset();
      selection.warnings.push_back(
          fmt::format("{}: layer {} ({}) has no weight to be quantized", entry->label, module.name, module.type));
    }
    if (target.weight || target.input || target.output) selection.layers.push_back({module, target});
  }
  if (selection.layers.empty()) return tl::unexpected(nothing_selected(modules, selection.warnings));
  return selection;
}

}  // namespace lathe::compression

#include <lathe/compression/quantizer_rules.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lathe::compression {
namespace {

using Types = std::vector<QuantType>;

const Types kWeight{QuantType::Weight};
const Types kAnyType{QuantType::Weight, QuantType::Input, QuantType::Output};

QuantizerRules rules(std::string name, const Types& quant_types) {
  QuantizerRules result;
  result.name = std::move(name);
  result.default_types = default_op_types();
  result.general_types = {"default"};
  result.quant_types = quant_types;
  return result;
}

QuantizerRules with_bits(QuantizerRules result, int bits) {
  result.least_bits = result.most_bits = bits;
  result.bits = bits;
  return result;
}

QuantizerRules qat() {
  QuantizerRules result = rules("qat", kAnyType);
  result.op_types = {"Conv1d", "Conv2d", "Conv3d", "Linear", "ReLU", "ReLU6"};
  result.default_types.clear();
  result.general_types = {"Conv1d", "Conv2d", "Conv3d", "Linear"};
  result.has_grid_keys = true;
  return result;
}

QuantizerRules lsq() {
  QuantizerRules result = rules("lsq", kAnyType);
  result.least_bits = 2;  // one bit has no positive level, and LSQ divides by the largest
  return result;
}

const std::vector<QuantizerRules>& all_rules() {
  static const std::vector<QuantizerRules> table{
      with_bits(rules("naive", kWeight), 8),
      qat(),
      rules("dorefa", kWeight),
      with_bits(rules("bnn", {QuantType::Weight, QuantType::Output}), 1),
      lsq(),
      with_bits(rules("observer", kAnyType), 8),
  };
  return table;
}

template <class T>
bool contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

Result<void> check_op_types(const ConfigEntry& entry, const QuantizerRules& rules) {
  for (const std::string& type : entry.op_types.value_or(std::vector<std::string>{})) {
    const bool known =
        type == "default" ? !rules.default_types.empty() : rules.op_types.empty() || contains(rules.op_types, type);
    if (known) continue;
    return fail(fmt::format("{}: op_types holds {}; expected for {} {}", entry.label, type, rules.name,
                            fmt::join(rules.op_types, ", ")));
  }
  return {};
}

Result<void> check_type(const ConfigEntry& entry, QuantType type, const QuantizerRules& rules) {
  if (!contains(rules.quant_types, type)) {
    std::vector<std::string_view> known;
    for (const QuantType allowed : rules.quant_types) known.push_back(name_of(allowed));
    return fail(fmt::format("{}: quant_types holds {}; expected for {} no other than {}", entry.label, name_of(type),
                            rules.name, fmt::join(known, ", ")));
  }
  const auto bits = entry.quant.bits[static_cast<std::size_t>(type)];
  if (!bits && !rules.bits) {
    return fail(fmt::format("{}: quant_bits is missing; {} has no default", entry.label, rules.name));
  }
  if (!bits || (*bits >= rules.least_bits && *bits <= rules.most_bits)) return {};
  const auto range = rules.least_bits == rules.most_bits ? fmt::format("{}", rules.least_bits)
                                                         : fmt::format("{} to {}", rules.least_bits, rules.most_bits);
  return fail(fmt::format("{}: quant_bits of {} is {}; expected for {} {}", entry.label, name_of(type), *bits,
                          rules.name, range));
}

template <class T>
bool said(const PerQuantType<T>& settings) {
  return std::any_of(settings.begin(), settings.end(), [](const auto& setting) { return setting.has_value(); });
}

Result<void> check_grid_keys(const ConfigEntry& entry, const QuantizerRules& rules) {
  if (rules.has_grid_keys) return {};
  const QuantKeys& keys = entry.quant;
  const std::array<std::pair<std::string_view, bool>, 3> present{{{"quant_dtype", said(keys.dtype)},
                                                                  {"quant_scheme", said(keys.scheme)},
                                                                  {"quant_start_step", keys.start_step.has_value()}}};
  for (const auto& [key, is_said] : present) {
    if (is_said)
      return fail(fmt::format("{}: {} is a key of qat, which {} has no use for", entry.label, key, rules.name));
  }
  return {};
}

}  // namespace

const QuantizerRules* find_quantizer_rules(std::string_view name) {
  for (const QuantizerRules& candidate : all_rules()) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

Result<void> check_quantizer_entry(const ConfigEntry& entry, const QuantizerRules& rules) {
  if (entry.exclude) return {};
  if (auto types = check_op_types(entry, rules); !types) return types;
  for (const QuantType type : entry.quant.types) {
    if (auto fits = check_type(entry, type, rules); !fits) return fits;
  }
  return check_grid_keys(entry, rules);
}

}  // namespace lathe::compression

// The names of NNI's parameter types and what stands behind each.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace lathe::proto {

enum class Family { Choice, RandInt, Uniform, Normal };

struct ParameterType {
  std::string_view name;
  Family family;
  bool log = false;
  bool quantized = false;  ///< `_value` ends with q
  std::string_view value;  ///< what `_value` must be
};

inline constexpr std::array parameter_types{
    ParameterType{"choice", Family::Choice, false, false, "[option, …]"},
    ParameterType{"randint", Family::RandInt, false, false, "[low, high]"},
    ParameterType{"uniform", Family::Uniform, false, false, "[low, high]"},
    ParameterType{"quniform", Family::Uniform, false, true, "[low, high, q]"},
    ParameterType{"loguniform", Family::Uniform, true, false, "[low, high]"},
    ParameterType{"qloguniform", Family::Uniform, true, true, "[low, high, q]"},
    ParameterType{"normal", Family::Normal, false, false, "[mu, sigma]"},
    ParameterType{"qnormal", Family::Normal, false, true, "[mu, sigma, q]"},
    ParameterType{"lognormal", Family::Normal, true, false, "[mu, sigma]"},
    ParameterType{"qlognormal", Family::Normal, true, true, "[mu, sigma, q]"},
};

/// The keys of a parameter, and the one that names an option with a sub-space.
inline constexpr std::string_view type_key = "_type";
inline constexpr std::string_view value_key = "_value";
inline constexpr std::string_view name_key = "_name";

}  // namespace lathe::proto

// The search space as a typed tree (NNI's JSON format, nested to any depth). Parsing checks everything; a SearchSpace
// that exists is valid. Sampling it is the business of tuners/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::proto {

struct Parameter;

/// One option of a choice. An option that is an object with `_name` whose other keys are specs owns a sub-space.
struct Option {
  nlohmann::ordered_json value;       ///< what the trial receives; for an option with a sub-space: {"_name": …}
  std::string name;                   ///< `_name`, else empty
  std::vector<Parameter> parameters;  ///< the sub-space, active only when this option is chosen
};

/// `choice`: a uniform draw among the options (at least one).
struct Choice {
  std::vector<Option> options;
};

/// `randint`: integers low <= x < high.
struct RandInt {
  std::int64_t low = 0;
  std::int64_t high = 1;
};

/// `uniform`, `quniform`, `loguniform`, `qloguniform` on [low, high]; low < high, and low > 0 when `log`.
/// With q the value is round-half-even(x/q)*q clipped to [low, high].
struct Uniform {
  double low = 0;
  double high = 1;
  bool log = false;
  std::optional<double> q;  ///< > 0
};

/// `normal`, `qnormal`, `lognormal`, `qlognormal`: mu and sigma (> 0) of the variable or, when `log`, of its logarithm.
/// With q the value is round-half-even(x/q)*q, not clipped.
struct Normal {
  double mu = 0;
  double sigma = 1;
  bool log = false;
  std::optional<double> q;  ///< > 0
};

using Distribution = std::variant<Choice, RandInt, Uniform, Normal>;

/// A named parameter of the space, or of one option's sub-space.
struct Parameter {
  std::string name;
  Distribution distribution;
};

/// The parameters in the order in which they were written.
struct SearchSpace {
  std::vector<Parameter> parameters;
};

/// Parses NNI's `{name: {"_type": T, "_value": […]}}`. `field` is the path put in front of errors (e.g. `searchSpace`).
/// Options may be any JSON; an object with `_name` has its other keys parsed as specs, recursively; a value inside such
/// an option that is an object without `_type` is taken as a constant. Reports every error.
[[nodiscard]] Checked<SearchSpace> parse_search_space(const nlohmann::ordered_json& json,
                                                      const std::string& field = "searchSpace");

/// The JSON form again; parse_search_space(to_json(s)) equals s.
[[nodiscard]] nlohmann::ordered_json to_json(const SearchSpace& space);

}  // namespace lathe::proto

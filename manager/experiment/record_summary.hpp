// What lists say of an experiment in few words, read from its canonical config.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace lathe::manager {

/// The platforms of its training services, as NNI names them; several joined by commas, each once.
[[nodiscard]] std::string platform_of(const nlohmann::ordered_json& config);

struct Objective {
  std::string metric;     ///< `default`, or what it is made of in a compression experiment, e.g. `accuracy`
  bool maximize = false;  ///< whether more of the number that the tuner sees is better
};
[[nodiscard]] Objective objective_of(const nlohmann::ordered_json& config);

/// Adds `platform` and `objective` to the REST form of an experiment.
void add_summary(nlohmann::ordered_json& json, const nlohmann::ordered_json& config);

}  // namespace lathe::manager

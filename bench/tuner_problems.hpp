// Functions with known optima on which tuners are judged; all are minimised.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/search_space.hpp>

namespace lathe::bench {

struct Problem {
  std::string name;
  proto::SearchSpace space;
  std::function<double(const nlohmann::ordered_json& parameters)> loss;  ///< without noise
  double optimum = 0;
  double noise = 0;  ///< standard deviation of what is added to an observed loss
};

/// The five small functions that other tuners have been measured on: sphere, Branin, Hartmann6, Rosenbrock, nested A/B.
[[nodiscard]] std::vector<Problem> small_problems();

/// Eight problems in the shapes of real searches: wide, logarithmic, mixed, nested once and twice, noisy.
[[nodiscard]] std::vector<Problem> search_problems();

}  // namespace lathe::bench

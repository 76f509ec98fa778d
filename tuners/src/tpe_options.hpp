// The knobs of TPE, named as in NNI's `tpe_args`.
#pragma once

#include <cstddef>
#include <optional>

#include <nlohmann/json.hpp>

namespace lathe::tuners {

/// What a pending trial counts as.
enum class Liar {
  Bad,     ///< a member of the bad set, whatever its parameters (our default)
  Ignore,  ///< nothing (NNI's null)
  Best,    ///< a trial with the best loss so far
  Worst,   ///< with the worst
  Mean,    ///< with the average
};

struct TpeOptions {
  Liar liar = Liar::Bad;        ///< `constant_liar_type`: "best", "worst", "mean" or null
  std::size_t startup = 20;     ///< `n_startup_jobs`: random until so many trials have finished; 0 is taken as 1
  std::size_t candidates = 24;  ///< `n_ei_candidates`: draws from the good set's density, the best is taken; > 0
  std::size_t forgetting =
      25;  ///< `linear_forgetting`: so many newest bad trials keep full weight; also the cap of the good set; > 0
  double prior_weight = 1;      ///< `prior_weight`: weight of the prior among the kernels; > 0
  std::optional<double> gamma;  ///< `gamma`: good set of ceil(gamma sqrt(n)) trials as in NNI; none: ceil(0.15 n)

  /// Number of good trials among n, at most `forgetting`.
  [[nodiscard]] std::size_t good_of(std::size_t n) const;
};

/// Reads `class_args`. What is absent keeps its default; throws std::invalid_argument naming the key and what it must
/// be.
[[nodiscard]] TpeOptions parse_tpe_options(const nlohmann::ordered_json& class_args);

}  // namespace lathe::tuners

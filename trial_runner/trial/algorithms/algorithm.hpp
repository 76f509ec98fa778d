// The compression algorithms that a search space can name.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "result.hpp"

namespace lathe::trial {

enum class Algorithm {
  Level,
  L1,
  L2,
  Fpgm,
  Slim,
  TaylorFo,
  Apoz,
  MeanActivation,
  Agp,
  Linear,
  LotteryTicket,
  NetAdapt,
  SimulatedAnnealing,
  Admm,
  AutoCompress,
  Sensitivity,
  Naive,
  Qat,
  DoReFa,
  Bnn,
  Lsq,
  Observer,
};

/// How an algorithm works, hence which keys it has and what a trial does with it.
enum class Family {
  OneShot,    ///< masks once, before fine-tuning
  Scheduled,  ///< a metric's masks grow while fine-tuning
  Iterative,  ///< searches or trains for its masks itself; fine-tuning follows
  Quantizer,
};

/// Finds an algorithm by any of its names: ours, NNI's short ones, NNI's class names; case, `_` and `-` are ignored. An
/// error lists the known ones.
[[nodiscard]] Result<Algorithm> find_algorithm(const std::string& name);

/// The short name: level, l1, agp, …
[[nodiscard]] std::string_view name_of(Algorithm algorithm);

[[nodiscard]] Family family_of(Algorithm algorithm);

/// All short names, pruners first, joined by ", ".
[[nodiscard]] std::string known_algorithms();

}  // namespace lathe::trial

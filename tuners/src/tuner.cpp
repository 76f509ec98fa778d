#include <lathe/tuners/tuner.hpp>

#include <stdexcept>

#include "anneal_tuner.hpp"
#include "random_tuner.hpp"
#include "tpe_options.hpp"
#include "tpe_tuner.hpp"

namespace lathe::tuners {

std::unique_ptr<Tuner> make_tuner(const proto::TunerConfig& config, const proto::SearchSpace& space) {
  if (!config.seed) throw std::invalid_argument("a tuner needs a seed");
  switch (config.kind) {
    case proto::TunerKind::Random:
      return std::make_unique<RandomTuner>(space, config.optimize_mode, *config.seed);
    case proto::TunerKind::Tpe:
      return std::make_unique<TpeTuner>(space, config.optimize_mode, *config.seed,
                                        parse_tpe_options(config.class_args));
    case proto::TunerKind::Anneal:
      return std::make_unique<AnnealTuner>(space, config.optimize_mode, *config.seed);
  }
  throw std::invalid_argument("unknown kind of tuner");
}

}  // namespace lathe::tuners

// The tree-structured Parzen estimator (Bergstra et al. 2011), in the joint form that has been found to work best
// (Watanabe 2023, arXiv:2304.11127), over nested spaces.
//
//   start-up   random until `startup` trials have finished
//   split      the best trials are good, the others, running and failed ones too, are bad      tpe_split.hpp
//   model      a kernel density over whole configurations for either set                       walk_density.hpp
//   kernels    widths and option weights                                                       kernel_column.hpp
//   choice     of 24 draws from the good density, the one where log good - log bad is largest
//
// Where it differs from NNI's: parameters are modelled together and not one by one; one split and not one for each
// parameter; nesting at any depth; forgetting by age and not by loss; running trials repel instead of attracting.
#pragma once

#include "history_tuner.hpp"
#include "tpe_options.hpp"

namespace lathe::tuners {

class TpeTuner final : public HistoryTuner {
 public:
  TpeTuner(const proto::SearchSpace& space, proto::OptimizeMode mode, std::uint64_t seed, const TpeOptions& options)
      : HistoryTuner(space, mode, seed), options_(options) {}

 protected:
  [[nodiscard]] std::vector<Point> propose(const SpaceTree& tree, const History& history,
                                           RandomStream& random) const override;

 private:
  TpeOptions options_;
};

}  // namespace lathe::tuners

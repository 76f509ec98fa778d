// Running a model on data for the sake of pruning: statistics of its filters, and training towards small gammas.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <lathe/compression/compressor.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/trainer.hpp>

namespace lathe::compression {

/// What training says about each layer over the first `sparsifying_training_batches` batches of an epoch (fewer when
/// there are fewer). Neither weights nor buffers change, the model is in eval mode meanwhile: what is asked is how the
/// model as it stands uses its filters. `groups` are those of transposed convolutions without bias.
/// Errors name a layer that is never run, that does not train, or whose statistics are not finite; and those of the
/// run.
[[nodiscard]] Result<FilterStatistics> gather_statistics(const PrunerOptions& options,
                                                         const std::vector<SelectedLayer>& layers,
                                                         const std::map<std::string, std::int64_t>& groups,
                                                         const Network& network, const Dataset& data,
                                                         const TrainingOptions& training);

/// Adds `scale` · sign(gamma) to the gradients of the layers' weights: the subgradient of an L1 penalty.
void penalise_gammas(const std::vector<SelectedLayer>& layers, double scale);

/// Trains towards gammas of zero.
class GammaPenalty final : public Compressor {
 public:
  GammaPenalty(const std::vector<SelectedLayer>& layers, double scale) : layers_(layers), scale_(scale) {}
  void after_backward() override { penalise_gammas(layers_, scale_); }

 private:
  const std::vector<SelectedLayer>& layers_;
  double scale_;
};

}  // namespace lathe::compression

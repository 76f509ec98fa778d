// Pruners that search or train for their masks: NetAdapt, simulated annealing, ADMM, AutoCompress, sensitivity.
//
// What is searched for is an overall sparsity: the share of the weights of all selected layers that goes. Layers whose
// targets differ ask for the mean of them, weighted by size. It is reached or passed by less than one unit (a weight or
// a filter), and no layer ever loses its last unit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/config_list.hpp>
#include <lathe/compression/dataset.hpp>
#include <lathe/compression/mask.hpp>
#include <lathe/compression/pruner.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/speedup.hpp>
#include <lathe/compression/tapped_model.hpp>
#include <lathe/compression/trainer.hpp>

namespace lathe::compression {

/// One step of the search, as it was judged.
struct IterativeStep {
  std::int64_t iteration = 0;                ///< from 1
  std::string what;                          ///< e.g. `conv2`, the layer that NetAdapt chose
  double sparsity = 0;                       ///< overall, of the selected layers' weights
  double metric = 0;                         ///< what evaluate said
  std::map<std::string, double> sparsities;  ///< of each layer that is pruned
};

/// What an iterative pruner works on and with. Everything referred to outlives the run.
struct IterativeContext {
  Network network;                    ///< trained; its weights are changed in place
  std::vector<SelectedLayer> layers;  ///< with the network's own tensors
  const Dataset& train;
  TrainingOptions finetuning;  ///< of short trainings; each pruner has its own number of epochs
  std::function<Result<double>(const Network&)> evaluate;  ///< larger is better; leaves the model as it is
  /// One input batch: structured masks then grow over batch norms and depthwise convolutions (see extend_masks).
  at::Tensor example;
  std::uint64_t seed = 0;
  SpeedupOptions speedup;                            ///< of those that cut the model as they go (AutoCompress)
  std::function<void(const std::string&)> progress;  ///< a sentence now and then; may be empty
  std::function<Result<void>(const IterativeStep&)>
      intermediate;  ///< after each step; an error ends the run; may be empty
};

struct IterativeResult {
  Masks masks;  ///< of the final model, whose masked weights are zero
  /// A smaller model that takes the place of the context's; none: the context's model is the final one.
  std::optional<torch::jit::Module> model;
  std::vector<IterativeStep> history;
};

/// Whether masks of this metric can be searched for: it has to go by weights alone.
[[nodiscard]] Result<void> check_base(PruningMetric base);

class IterativePruner {
 public:
  IterativePruner() = default;
  virtual ~IterativePruner() = default;
  IterativePruner(const IterativePruner&) = delete;
  IterativePruner& operator=(const IterativePruner&) = delete;

  /// The same context gives the same result. Errors: an option out of its range, layers that the base algorithm cannot
  /// prune, a sparsity that cannot be reached (with how far each layer goes), a metric that is not a finite number, and
  /// those of training, evaluation and speed-up. After an error the weights are in any state.
  [[nodiscard]] virtual Result<IterativeResult> run(const IterativeContext& context) const = 0;
};

}  // namespace lathe::compression

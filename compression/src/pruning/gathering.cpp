#include "pruning/gathering.hpp"

#include <algorithm>
#include <exception>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <lathe/compression/evaluate.hpp>
#include <lathe/compression/tapped_model.hpp>

#include "pruning/filters.hpp"
#include "training/eval_mode.hpp"

namespace lathe::compression {
namespace {

/// One gathering: what its batches share.
class Gathering {
 public:
  Gathering(const PrunerOptions& options, const std::vector<SelectedLayer>& layers,
            const std::map<std::string, std::int64_t>& groups)
      : options_(options), layers_(layers), groups_(groups) {}

  /// `use` is what is done with a batch.
  template <class Use>
  Result<void> run(const Dataset& data, const TrainingOptions& training, const Use& use) {
    const at::Tensor order = shuffled_indices(data.size(), training.seed);
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < options_.sparsifying_training_batches && begin < data.size(); ++i) {
      const std::int64_t size = std::min(training.batch_size, data.size() - begin);
      if (auto used = use(data.pick(order.narrow(0, begin, size))); !used) return used;
      begin += size;
    }
    return {};
  }

  Result<void> add_gradients(const Network& network, const Batch& batch) {
    const c10::AutoGradMode with_gradients(true);
    auto outputs = run_classifier(network, batch);
    if (!outputs) return tl::unexpected(outputs.error());
    const at::Tensor loss = classification_loss(*outputs, batch.targets, output_kind(*outputs));
    std::vector<at::Tensor> weights;
    for (const SelectedLayer& selected : layers_) {
      if (!selected.layer.weight.requires_grad()) {
        return fail(fmt::format("layer {}: its weight does not require a gradient, which {} is made of",
                                selected.layer.name, name_of(options_.metric)));
      }
      weights.push_back(selected.layer.weight);
    }
    const auto gradients = torch::autograd::grad({loss}, weights, {}, {}, false, /*allow_unused=*/true);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i].layer;
      if (!gradients[i].defined()) continue;
      const auto found = groups_.find(layer.name);
      const auto layout = filter_layout(layer, found == groups_.end() ? 1 : found->second);
      if (!layout) return tl::unexpected(layout.error());
      statistics_.add_gradient(layer.name, filter_rows(layer.weight, *layout), filter_rows(gradients[i], *layout));
    }
    return {};
  }

  void tap_outputs(TappedModel& tapped) {
    for (const SelectedLayer& selected : layers_) {
      tapped.add_tap(selected.layer.name, TapPlace::Output, [this, &layer = selected.layer](const at::Tensor& output) {
        add_activations(layer, output);
        return output;
      });
    }
  }

  Result<FilterStatistics> finish() {
    for (const SelectedLayer& selected : layers_) {
      const at::Tensor gathered = statistics_.of(selected.layer.name);
      if (!gathered.defined()) {
        return fail(fmt::format("layer {} is never run, so {} knows nothing about it; exclude it", selected.layer.name,
                                name_of(options_.metric)));
      }
      if (!at::isfinite(gathered).all().item<bool>()) {
        return fail(fmt::format("layer {}: its {} is not a finite number on the training data", selected.layer.name,
                                options_.metric == PruningMetric::TaylorFo ? "gradient" : "activation"));
      }
    }
    return std::move(statistics_);
  }

 private:
  void add_activations(const Layer& layer, const at::Tensor& output) {
    // A linear layer's features are on the last axis; a convolution has as many axes behind its channels as its weight.
    const std::int64_t axis = layer.weight.dim() == 2 ? output.dim() - 1 : output.dim() - layer.weight.dim() + 1;
    if (options_.metric == PruningMetric::Apoz) {
      statistics_.add_nonzero_share(layer.name, output, axis, options_.activation);
    } else {
      statistics_.add_mean(layer.name, output, axis, options_.activation);
    }
  }

  const PrunerOptions& options_;
  const std::vector<SelectedLayer>& layers_;
  const std::map<std::string, std::int64_t>& groups_;
  FilterStatistics statistics_;
};

}  // namespace

Result<FilterStatistics> gather_statistics(const PrunerOptions& options, const std::vector<SelectedLayer>& layers,
                                           const std::map<std::string, std::int64_t>& groups, const Network& network,
                                           const Dataset& data, const TrainingOptions& training) {
  const EvalMode eval_mode(network.model());
  Gathering gathering(options, layers, groups);
  try {
    Result<void> done;
    if (options.metric == PruningMetric::TaylorFo) {
      done = gathering.run(data, training, [&](const Batch& batch) { return gathering.add_gradients(network, batch); });
    } else {
      auto tapped = TappedModel::create(network.model());
      if (!tapped) return tl::unexpected(tapped.error());
      gathering.tap_outputs(**tapped);
      const Network recorder(std::shared_ptr<const TappedModel>(std::move(*tapped)));
      done = gathering.run(data, training, [&](const Batch& batch) {
        const c10::NoGradGuard no_grad;
        return run_classifier(recorder, batch).map([](const at::Tensor&) {});
      });
    }
    if (!done) return tl::unexpected(done.error());
    return gathering.finish();
  } catch (const c10::Error& thrown) {
    return fail(fmt::format("{}: the model failed: {}", name_of(options.metric), thrown.what_without_backtrace()));
  }
}

void penalise_gammas(const std::vector<SelectedLayer>& layers, double scale) {
  const c10::NoGradGuard no_grad;
  for (const SelectedLayer& selected : layers) {
    at::Tensor gradient = selected.layer.weight.grad();
    if (gradient.defined()) gradient.add_(selected.layer.weight.sign(), scale);
  }
}

}  // namespace lathe::compression

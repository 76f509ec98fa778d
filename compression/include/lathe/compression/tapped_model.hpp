// A model that is run through its flat graph, so that the tensors which enter a layer, leave it or weigh it can be
// changed or looked at on the way: fake quantization, recorders of activations, masks.
//
// The model itself is not touched: it shares its parameters with the tapped one, and what is saved has no taps.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/flat_graph.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// Gets the tensor that passes and returns the one that goes on in its place. Gradients flow through it.
using Tap = std::function<at::Tensor(const at::Tensor&)>;

class Program;

class TappedModel {
 public:
  /// Errors: those of FlatGraph::of.
  [[nodiscard]] static Result<std::unique_ptr<TappedModel>> create(const torch::jit::Module& model);
  ~TappedModel();
  TappedModel(const TappedModel&) = delete;
  TappedModel& operator=(const TappedModel&) = delete;

  /// Every call of a submodule's forward, in order of the graph; a module that is called twice is there twice.
  /// Branches that are not taken are included.
  [[nodiscard]] const std::vector<LayerCall>& calls() const { return flat_.calls(); }

  /// The tapped graph; nodes of kind lathe::tap stand where taps can be.
  [[nodiscard]] const FlatGraph& graph() const { return flat_; }

  /// Puts a tap behind those that are there already. `layer` is a path of a module, such as `features.0`; a place that
  /// the graph does not have (a layer that is never called, a layer without bias) takes taps that never run.
  void add_tap(const std::string& layer, TapPlace place, Tap tap);
  /// Takes away all taps of a place.
  void clear_taps(const std::string& layer, TapPlace place);
  void clear_taps();

  /// What the model's own forward would return, but for the taps. Throws what operators and taps throw.
  [[nodiscard]] c10::IValue forward(const at::Tensor& input) const;

 private:
  explicit TappedModel(FlatGraph flat);

  FlatGraph flat_;
  std::unique_ptr<Program> program_;
  std::vector<std::vector<Tap>> taps_;  ///< by TapSite index in the program
};

/// A model and the way to run it: by its own forward, or through taps. A handle: copies share the model.
class Network {
 public:
  Network(const torch::jit::Module& model) : model_(model) {}  // NOLINT(google-explicit-constructor)
  explicit Network(std::shared_ptr<const TappedModel> tapped)
      : model_(tapped->graph().model()), tapped_(std::move(tapped)) {}

  [[nodiscard]] const torch::jit::Module& model() const { return model_; }
  [[nodiscard]] c10::IValue forward(const at::Tensor& input) const;

 private:
  torch::jit::Module model_;
  std::shared_ptr<const TappedModel> tapped_;
};

}  // namespace lathe::compression

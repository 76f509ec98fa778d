// What is done to one tensor of one layer; each algorithm has its own for weights and for activations.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>
#include <nlohmann/json.hpp>

#include <lathe/compression/quant_grid.hpp>
#include <lathe/compression/result.hpp>
#include <lathe/compression/tapped_model.hpp>

namespace lathe::compression {

/// How far a quantization is; its tensor quantizers share one.
struct QuantProgress {
  torch::jit::Module model;
  std::int64_t steps = 1;    ///< 1 + optimizer steps, as NNI counts
  bool calibrating = false;  ///< ranges are looked at, nothing is quantized
  bool finished = false;

  [[nodiscard]] bool training() const { return model.is_training(); }
  [[nodiscard]] bool before(std::int64_t start_step) const { return !finished && start_step > steps; }
};

using SharedProgress = std::shared_ptr<const QuantProgress>;

/// Which tensor it is.
struct TensorSite {
  std::string layer;
  std::string type;
  TapPlace place = TapPlace::Weight;
  std::optional<std::int64_t> channel_axis;  ///< of a weight

  /// weight, input or output, as NNI's fields call it
  [[nodiscard]] std::string kind() const;
  /// "the weight of layer `fc`"
  [[nodiscard]] std::string text() const;
};

class TensorQuantizer {
 public:
  TensorQuantizer(TensorSite site, SharedProgress progress) : site_(std::move(site)), progress_(std::move(progress)) {}
  virtual ~TensorQuantizer() = default;
  TensorQuantizer(const TensorQuantizer&) = delete;
  TensorQuantizer& operator=(const TensorQuantizer&) = delete;

  /// The tap. Throws std::runtime_error that names the tensor when its values are not finite.
  [[nodiscard]] virtual at::Tensor pass(const at::Tensor& tensor) = 0;
  /// After each step of the optimizer.
  virtual void after_step() {}
  /// What takes it back to where it is now, beside `learnt`; empty where training changes nothing. It outlives the
  /// call.
  [[nodiscard]] virtual std::function<void()> remember() { return {}; }
  /// After the last batch of a calibration.
  virtual void freeze() {}
  /// Whether it knows all it needs.
  [[nodiscard]] virtual bool ready() const { return true; }
  /// A scale to be trained, or an undefined tensor.
  [[nodiscard]] virtual at::Tensor learnt() const { return {}; }
  /// Where its values lie; none when they are no multiples of a scale, or nothing was seen yet.
  [[nodiscard]] virtual std::optional<QuantGrid> grid() const { return std::nullopt; }
  /// Adds the fields of calibration_config.
  virtual void describe(nlohmann::ordered_json& fields) const = 0;

  [[nodiscard]] const TensorSite& site() const { return site_; }

 protected:
  [[nodiscard]] const QuantProgress& progress() const { return *progress_; }

  /// `tracked_min_input` for ("tracked_min_", "") …
  [[nodiscard]] std::string field(const std::string& before, const std::string& after) const {
    return before + site_.kind() + after;
  }
  /// Throws unless it is float32.
  void require_float(const at::Tensor& tensor) const;
  /// value_ranges of such a tensor; throws unless all are finite.
  [[nodiscard]] std::vector<ValueRange> finite_ranges(const at::Tensor& tensor,
                                                      std::optional<std::int64_t> axis = std::nullopt) const;

 private:
  TensorSite site_;
  SharedProgress progress_;
};

/// The channels' dimension of this input or output under a per-channel scheme; see Quantization.
[[nodiscard]] std::optional<std::int64_t> activation_axis(const TensorSite& site, const at::Tensor& tensor);

/// A number for one entry, else a list.
template <class T>
[[nodiscard]] nlohmann::ordered_json number_or_list(const std::vector<T>& values) {
  if (values.size() == 1) return values.front();
  return values;
}

}  // namespace lathe::compression

// Turns masks into a smaller network: channels whose filters are fully masked are cut out, along with everything that
// depends on them. The result computes what the masked model computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

/// What became of one layer.
struct LayerChange {
  std::string layer;
  std::string type;
  Shape before;  ///< weight shape in the original
  Shape after;   ///< weight shape now
};

/// Masked channels that had to stay (as masked zeros), because what they add is a constant other than zero that cannot
/// be folded into the layer that reads them.
struct KeptChannels {
  std::string place;  ///< operator, module and source line that reads them
  std::int64_t channels = 0;
  std::string reason;
};

struct SpeedupReport {
  torch::jit::Module model;         ///< a new module tree; the input model is untouched
  std::vector<LayerChange> layers;  ///< every layer with a weight, in definition order
  double max_difference =
      0;  ///< largest |masked - sped up| over the outputs, on the example batch and on noise of its shape
  std::vector<KeptChannels> kept;  ///< empty when everything that is masked and reaches no output is gone
};

/// `model` with `masks` applied, physically smaller. `example` is one input batch (used to run the graph once and to
/// check the result). Layers that feed the model's output keep their output channels. Errors: an operator that is not
/// understood touches a channel that would go (named with module and source line; nothing is changed), a layer that
/// would have no channel left, a result that differs from the masked model by more than `tolerance` (relative to the
/// largest absolute output, at least 1).
[[nodiscard]] Result<SpeedupReport> speed_up(const torch::jit::Module& model, const Masks& masks,
                                             const at::Tensor& example, double tolerance = 1e-5);

/// Adds to `masks` what sits behind fully masked filters and treats each channel on its own: the batch norm's weight
/// and bias, the depthwise convolution's filter and bias. Then a pruned channel is zero up to the next layer and
/// speed_up can cut it even where padding follows. Fine-tune with these masks, and give the same ones to speed_up.
/// Errors as there.
[[nodiscard]] Result<Masks> extend_masks(const torch::jit::Module& model, const Masks& masks,
                                         const at::Tensor& example);

}  // namespace lathe::compression

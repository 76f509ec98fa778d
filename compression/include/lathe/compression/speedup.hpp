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

/// Masked channels that had to stay, as masked zeros or constants, though every layer that reads them could do without.
struct KeptChannels {
  std::string place;  ///< operator, module and source line that holds them
  std::int64_t channels = 0;
  std::string reason;
};

struct SpeedupOptions {
  /// Largest difference from the masked model, relative to the largest absolute output, at least 1.
  double tolerance = 1e-5;
  /// Layers keep a multiple of so many filters, or all of them: masked ones with the highest indices stay, as zeros.
  /// At least 1.
  std::int64_t round_to = 1;
};

struct SpeedupReport {
  torch::jit::Module model;         ///< a new module tree; the input model is untouched
  std::vector<LayerChange> layers;  ///< every layer with a weight, in definition order
  double max_difference = 0;        ///< largest |masked - sped up| over the outputs
  std::vector<KeptChannels> kept;   ///< empty when everything that is masked and reaches no output is gone
};

/// `model` with `masks` applied, physically smaller, along its dependency groups (see dependency_groups.hpp): channels
/// that are added, multiplied, concatenated, reshaped or normalised together go together, when none of the layers that
/// read them needs them. What they add as constants is folded into those layers. It follows every operator of one
/// concrete run (convolutions of all kinds, norms, attention with whole heads, recurrent inputs, reshapes with literal
/// or computed sizes …) and rewrites the numbers in the program that count channels.
///
/// What cannot go exactly is kept and reported, and the rest goes: channels that an operator reads which is not
/// understood, that share statistics with others (layer and group norm), or whose constants have nowhere to go. Layers
/// that feed the model's output keep their output channels.
///
/// It computes the masked model once and the result once, to compare them; numbers of the smaller program follow from
/// shapes. Where a program's numbers follow from values, the smaller model runs once more.
///
/// `example` is one input batch; at most its first two rows are run where the model takes that few. If it is the same
/// number throughout, the result is compared on noise as well. Errors: a mask of another shape or of no layer, a model
/// that cannot be flattened or run, a layer that would have no channel left, a result that differs from the masked
/// model.
[[nodiscard]] Result<SpeedupReport> speed_up(const torch::jit::Module& model, const Masks& masks,
                                             const at::Tensor& example, const SpeedupOptions& options = {});

/// The same with a tolerance alone.
[[nodiscard]] Result<SpeedupReport> speed_up(const torch::jit::Module& model, const Masks& masks,
                                             const at::Tensor& example, double tolerance);

/// Adds to `masks` what sits behind fully masked filters and treats each channel on its own: the batch norm's weight
/// and bias, the depthwise convolution's filter and bias. Then a pruned channel is zero up to the next layer and
/// speed_up can cut it even where padding follows. Fine-tune with these masks, and give the same ones to speed_up.
/// Errors as there.
[[nodiscard]] Result<Masks> extend_masks(const torch::jit::Module& model, const Masks& masks,
                                         const at::Tensor& example);

}  // namespace lathe::compression

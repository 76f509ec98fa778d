// Layers of which every output channel reads every input channel, or those of its group.
#pragma once

#include "speedup/tracer.hpp"

namespace lathe::compression {

struct MixingLayer {
  at::Tensor input{};
  std::int64_t axis = 1;  ///< of the input's channels, and of the output's
  at::Tensor weight{};
  std::int64_t out_axis = 0;
  std::int64_t in_axis = 1;
  at::Tensor bias{};        ///< may be undefined
  bool everywhere = true;   ///< a channel that is constant adds the same at every place of the output
  std::int64_t groups = 1;  ///< more than 1: the weight's axis 0 is divided, and axis 1 counts what one group has there
};

/// Reads the input, gives the call's output new channels.
void mix(Tracer& tracer, const Call& call, const MixingLayer& layer);

/// Reads the input alone: for operators whose output is something else.
void read_through(Tracer& tracer, const Call& call, const MixingLayer& layer);

/// The same for channels that are no tensor of their own.
void read_channels(Tracer& tracer, const Call& call, const Channels& channels, const MixingLayer& layer);

/// The labels of the input's axis: of its channels, or fixed ones where these are on another axis, and which of them
/// are dead with which value.
[[nodiscard]] Channels input_channels(Tracer& tracer, const Call& call, const at::Tensor& input, std::int64_t axis);

}  // namespace lathe::compression

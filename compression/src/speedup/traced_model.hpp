// A masked copy of a model, its flat graph and what is known about its channels.
#pragma once

#include <lathe/compression/result.hpp>

#include "speedup/channel_trace.hpp"

namespace lathe::compression {

struct TracedModel {
  torch::jit::Module masked;  ///< see masked_copy
  FlatGraph flat;             ///< of `masked`
  at::Tensor input;           ///< what was run
  ChannelTrace trace;
};

/// At most the first two rows of `example` are run, all of them where the model does not take that few. Errors: those
/// of FlatGraph. Throws what trace_channels throws.
[[nodiscard]] Result<TracedModel> trace_model(const torch::jit::Module& model, const PathMasks& masks,
                                              const at::Tensor& example);

}  // namespace lathe::compression

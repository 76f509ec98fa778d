// One run of a model on an example, in eval mode, for what is to be counted on the way.
#pragma once

#include <functional>

#include <torch/csrc/jit/api/module.h>

#include <lathe/compression/result.hpp>

#include "graph/program.hpp"

namespace lathe::compression {

/// `watch` makes the observer of the graph that is run; `finish` gets what the model returns. Errors: those of
/// FlatGraph::of; an example that the model does not run on.
[[nodiscard]] Result<void> run_observed(const torch::jit::Module& model, const at::Tensor& example,
                                        const std::function<Observer(const FlatGraph&)>& watch,
                                        const std::function<void(const c10::IValue&)>& finish = {});

}  // namespace lathe::compression

// Runs a flat graph once and shows every node's inputs and outputs to an observer.
#pragma once

#include "graph/program.hpp"

namespace lathe::compression {

/// See Program::run.
[[nodiscard]] c10::IValue interpret(const FlatGraph& flat, const at::Tensor& input, const Observer& observer,
                                    const Substitute& substitute = {}, const StandIn& stand_in = {});

}  // namespace lathe::compression

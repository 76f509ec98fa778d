// What a first use of LibTorch would cost each trial, paid once before trials are forked.
#pragma once

#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

/// Trains a copy of the model on one batch and evaluates it, so that kernels, autograd and graph executor are set up.
/// Model, data and random state stay as they were. An error is the model's own, which each trial will meet again.
[[nodiscard]] Result<void> warm_up(const Setup& setup);

}  // namespace lathe::trial

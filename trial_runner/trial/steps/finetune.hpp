// Fine-tuning with a compressor in force, and what it is judged by.
#pragma once

#include <lathe/compression/compressor.hpp>

#include "steps/compress.hpp"

namespace lathe::trial {

/// On the whole test part, as the configuration's evaluation says.
[[nodiscard]] Result<compression::Evaluation> judge(const compression::Network& network, const Workshop& workshop);

/// Trains for the configured epochs, reporting each; at least `least_epochs`, for schedules that need them.
[[nodiscard]] Result<void> finetune(const compression::Network& network, compression::Compressor* compressor,
                                    const Workshop& workshop, std::int64_t least_epochs = 0);

/// Hooks for the training that is a part of an algorithm: progress is told, epochs are not reported as results.
[[nodiscard]] compression::TrainingHooks quiet_hooks(const Workshop& workshop);

}  // namespace lathe::trial

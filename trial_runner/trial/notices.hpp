// Warnings on stderr, which end up in the trial's log.
#pragma once

#include <string_view>

#include "result.hpp"
#include "setup.hpp"

namespace lathe::trial {

void warn(std::string_view message);

/// Tells when the linear algebra underneath is the slow reference one.
void warn_about_blas();

/// Tells when the model was traced in training mode, so that dropout or batch statistics are fixed parts of it.
[[nodiscard]] Result<void> warn_about_mode(const Setup& setup);

}  // namespace lathe::trial

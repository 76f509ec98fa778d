// Keys that NNI knows and Lathe does not act on: the harmless are ignored with a warning, those whose absence would
// change what the experiment does are errors.
#pragma once

#include "problems.hpp"
#include "reader.hpp"

namespace lathe::proto {

/// Judges such keys at the top level of a config.
void check_nni_only_keys(const Fields& experiment, Problems& problems);

}  // namespace lathe::proto

// The reference BLAS makes every Linear layer 15 to 30 times slower than an optimised one; a user should know.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lathe::trial {

/// A warning when `maps` (the text of /proc/self/maps) shows libblas but none of OpenBLAS, MKL, BLIS and ATLAS.
[[nodiscard]] std::optional<std::string> blas_warning(std::string_view maps);

}  // namespace lathe::trial

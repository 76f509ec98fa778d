#include "blas_check.hpp"

#include <algorithm>
#include <array>

namespace lathe::trial {

std::optional<std::string> blas_warning(std::string_view maps) {
  // Debian serves an optimised BLAS under the name libblas.so.3 too, in a folder named after it.
  constexpr std::array<std::string_view, 6> optimised{"openblas", "libmkl", "libblis", "/blis", "libatlas", "/atlas"};
  const auto mapped = [maps](std::string_view name) { return maps.find(name) != std::string_view::npos; };
  if (!mapped("libblas") || std::any_of(optimised.begin(), optimised.end(), mapped)) return std::nullopt;
  return "the reference BLAS is in use, which makes linear layers many times slower; install an optimised one: "
         "apt install libopenblas0-pthread";
}

}  // namespace lathe::trial

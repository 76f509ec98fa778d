// The version of this program, set by the build.
#pragma once

#include <string_view>

namespace lathe::agent {

inline constexpr std::string_view version = LATHE_VERSION;

}  // namespace lathe::agent

// Words for errno.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace lathe::agent {

/// "cannot open /x: No such file or directory"
[[nodiscard]] inline std::string describe_errno(const std::string& what, int code = errno) {
  return what + ": " + std::generic_category().message(code);
}

}  // namespace lathe::agent

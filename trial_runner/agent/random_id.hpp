// Names that nobody else has.
#pragma once

#include <cstddef>
#include <string>

namespace lathe::agent {

/// `bytes` random bytes in hexadecimal digits.
[[nodiscard]] std::string random_id(std::size_t bytes);

}  // namespace lathe::agent

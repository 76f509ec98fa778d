#include "random_id.hpp"

#include <sys/random.h>

#include <cerrno>
#include <string_view>
#include <system_error>

namespace lathe::agent {

std::string random_id(std::size_t bytes) {
  std::string random(bytes, '\0');
  if (::getrandom(random.data(), bytes, 0) != static_cast<ssize_t>(bytes)) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string id;
  for (const char byte : random) {
    const auto value = static_cast<unsigned char>(byte);
    id += digits[value >> 4];
    id += digits[value & 15];
  }
  return id;
}

}  // namespace lathe::agent

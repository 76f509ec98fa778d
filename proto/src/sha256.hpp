// SHA-256 (FIPS 180-4). Ours, since lathe-agent is linked statically and must not need a libcrypto.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lathe::proto {

class Sha256 {
 public:
  void add(std::string_view bytes);

  /// 64 hexadecimal digits. Call once, last.
  [[nodiscard]] std::string finish();

 private:
  void digest_block(const unsigned char* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_{};  ///< bytes that do not make a whole block yet
  std::size_t held_ = 0;
  std::uint64_t total_ = 0;  ///< bytes
};

}  // namespace lathe::proto

// Files read whole, gzip-compressed ones decompressed on the way, or mapped where they are large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

inline constexpr std::size_t kLargestFile = std::size_t{1} << 36;

/// The content of `file`, plain or gzip (told by its first bytes, not by its name), of at most `limit` bytes.
/// Memory grows with what is really there. Errors name the file.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_bytes(const std::filesystem::path& file,
                                                           std::size_t limit = kLargestFile);

/// The bytes of a file that several tensors may look at. Plain files above some size are mapped, so that only what is
/// used takes memory, and processes share it.
class FileBytes : public std::enable_shared_from_this<FileBytes> {
 public:
  /// As read_bytes.
  [[nodiscard]] static Result<std::shared_ptr<const FileBytes>> open(const std::filesystem::path& file);
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  [[nodiscard]] const std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool is_mapped() const { return held_.empty() && size_ > 0; }

  /// A contiguous tensor of the bytes from `offset` on, which keeps them alive. They must be there; where their place
  /// does not suit the type they are copied. Not to be written to.
  [[nodiscard]] at::Tensor tensor(std::size_t offset, const Shape& shape, at::ScalarType type) const;

 private:
  FileBytes() = default;

  std::vector<std::uint8_t> held_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// `records` within [0, count), checked; `file` is for the error.
[[nodiscard]] Result<Records> resolve_records(const Records& records, std::int64_t count,
                                              const std::filesystem::path& file);

}  // namespace lathe::compression

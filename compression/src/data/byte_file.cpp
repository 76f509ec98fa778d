#include "data/byte_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <ATen/ATen.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

namespace lathe::compression {
namespace {

struct GzClose {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzHandle = std::unique_ptr<gzFile_s, GzClose>;

constexpr std::size_t kChunk = std::size_t{1} << 20;

/// Below it reading costs less than the page faults of a mapping, and a file that is cut later does no harm.
constexpr std::size_t kLeastMapped = std::size_t{16} << 20;

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file) : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

bool is_gzip(const std::uint8_t* bytes) {
  return bytes[0] == 0x1F && bytes[1] == 0x8B;
}

tl::unexpected<Error> cannot_read(const std::filesystem::path& file, const char* reason) {
  return fail(fmt::format("{}: cannot be read: {}", file.string(), reason));
}

/// zlib takes a cut stream for its end unless it is asked.
Result<void> check_stream(gzFile handle, const std::filesystem::path& file) {
  int code = Z_OK;
  const char* reason = gzerror(handle, &code);
  if (code == Z_OK || code == Z_STREAM_END) return {};
  if (code == Z_BUF_ERROR) return cannot_read(file, "the gzip stream is cut short");
  return cannot_read(file, code == Z_ERRNO ? std::strerror(errno) : reason);
}

}  // namespace

Result<std::vector<std::uint8_t>> read_bytes(const std::filesystem::path& file, std::size_t limit) {
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) return cannot_read(file, "it is a folder");
  GzHandle handle(gzopen(file.c_str(), "rb"));
  if (!handle) return cannot_read(file, std::strerror(errno));
  gzbuffer(handle.get(), 1U << 17);
  std::vector<std::uint8_t> bytes;
  for (std::size_t used = 0;;) {
    bytes.resize(used + std::max(kChunk, used / 2));
    const int got =
        gzread(handle.get(), bytes.data() + used, static_cast<unsigned>(std::min(bytes.size() - used, kChunk * 64)));
    if (got > 0) used += static_cast<std::size_t>(got);
    if (used > limit) return cannot_read(file, "it is too large");
    if (got > 0) continue;
    if (auto sound = check_stream(handle.get(), file); !sound) return tl::unexpected(sound.error());
    bytes.resize(used);
    return bytes;
  }
}

Result<std::shared_ptr<const FileBytes>> FileBytes::open(const std::filesystem::path& file) {
  std::shared_ptr<FileBytes> bytes(new FileBytes());
  std::error_code code;
  const auto size = std::filesystem::is_regular_file(file, code) ? std::filesystem::file_size(file, code) : 0;
  if (!code && size >= kLeastMapped && size <= kLargestFile) {
    const Descriptor descriptor(file);
    void* mapped =
        descriptor.get() < 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
    if (mapped == MAP_FAILED) return cannot_read(file, std::strerror(errno));
    bytes->data_ = static_cast<const std::uint8_t*>(mapped);
    bytes->size_ = size;
    if (!is_gzip(bytes->data_)) return std::shared_ptr<const FileBytes>(bytes);
    bytes.reset(new FileBytes());
  }
  auto held = read_bytes(file);
  if (!held) return tl::unexpected(held.error());
  bytes->held_ = std::move(*held);
  bytes->held_.shrink_to_fit();
  bytes->data_ = bytes->held_.data();
  bytes->size_ = bytes->held_.size();
  return std::shared_ptr<const FileBytes>(bytes);
}

FileBytes::~FileBytes() {
  if (is_mapped()) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

at::Tensor FileBytes::tensor(std::size_t offset, const Shape& shape, at::ScalarType type) const {
  auto* values = const_cast<std::uint8_t*>(data_ + offset);
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(values) % c10::elementSize(type) == 0;
  if (is_aligned) {
    return at::from_blob(
        values, shape, [owner = shared_from_this()](void*) {}, type);
  }
  at::Tensor copy = at::empty(shape, type);
  std::memcpy(copy.data_ptr(), values, static_cast<std::size_t>(copy.numel()) * copy.element_size());
  return copy;
}

Result<Records> resolve_records(const Records& records, std::int64_t count, const std::filesystem::path& file) {
  const std::int64_t end = records.end.value_or(count);
  if (records.begin < 0 || records.begin >= end || end > count) {
    return fail(fmt::format("{}: range [{}, {}) does not fit; the file has {} records", file.string(), records.begin,
                            end, count));
  }
  return Records{records.begin, end};
}

}  // namespace lathe::compression

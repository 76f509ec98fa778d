// IDX: two zero bytes, an element type, the number of dimensions, the dimensions (32 bits, big endian), the elements.
#include <memory>
#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <lathe/compression/dataset.hpp>

#include "data/byte_file.hpp"

namespace lathe::compression {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;

struct IdxArray {
  Shape shape;
  std::shared_ptr<const FileBytes> bytes;  ///< header included
  std::size_t header = 0;
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

/// Product of the sizes, none when it is beyond any file.
std::optional<std::uint64_t> element_count(const Shape& shape) {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &count)) return std::nullopt;
  }
  return count;
}

Result<IdxArray> read_idx(const std::filesystem::path& file) {
  auto bytes = FileBytes::open(file);
  if (!bytes) return tl::unexpected(bytes.error());
  const std::size_t size = (*bytes)->size();
  const auto wrong = [&](const std::string& what) { return fail(fmt::format("{}: {}", file.string(), what)); };
  if (size < 4) return wrong(fmt::format("{} bytes are too few for an IDX header", size));
  const std::uint8_t* head = (*bytes)->data();
  if (head[0] != 0 || head[1] != 0) {
    return wrong(fmt::format("not an IDX file: it starts with {:02x} {:02x}, expected 00 00", head[0], head[1]));
  }
  if (head[2] != kUnsignedByte) {
    return wrong(fmt::format("IDX element type 0x{:02x}; expected 0x08, unsigned bytes", head[2]));
  }
  IdxArray array;
  array.header = 4 + std::size_t{4} * head[3];
  if (head[3] == 0 || size < array.header) {
    return wrong(
        fmt::format("an IDX header of {} dimensions takes {} bytes; the file has {}", head[3], array.header, size));
  }
  for (std::size_t at = 4; at < array.header; at += 4) array.shape.push_back(big_endian(head + at));
  const auto count = element_count(array.shape);
  if (!count || *count != size - array.header) {
    return wrong(fmt::format("the header announces [{}], {} bytes with the header; the file has {}",
                             fmt::join(array.shape, ", "), count ? std::to_string(*count + array.header) : "too many",
                             size));
  }
  array.bytes = std::move(*bytes);
  return array;
}

Result<IdxArray> read_idx(const std::filesystem::path& file, std::size_t least, std::size_t most, const char* what) {
  auto array = read_idx(file);
  if (!array) return array;
  if (array->shape.size() < least || array->shape.size() > most) {
    return fail(fmt::format("{}: shape [{}] is not that of {}", file.string(), fmt::join(array->shape, ", "), what));
  }
  return array;
}

at::Tensor records_of(const IdxArray& array, const Records& range) {
  const at::Tensor all = array.bytes->tensor(array.header, array.shape, at::kByte);
  return all.narrow(0, range.begin, *range.end - range.begin);
}

}  // namespace

Result<Dataset> load_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                         const Records& records, const Normalization& normalization) {
  auto pixels = read_idx(images, 3, 4, "images, [N, H, W] or [N, C, H, W]");
  if (!pixels) return tl::unexpected(pixels.error());
  auto classes = read_idx(labels, 1, 1, "labels, [N]");
  if (!classes) return tl::unexpected(classes.error());
  if (pixels->shape[0] != classes->shape[0]) {
    return fail(fmt::format("{} has {} images and {} has {} labels; expected as many", images.string(),
                            pixels->shape[0], labels.string(), classes->shape[0]));
  }
  const auto range = resolve_records(records, pixels->shape[0], images);
  if (!range) return tl::unexpected(range.error());
  at::Tensor inputs = records_of(*pixels, *range);
  if (inputs.dim() == 3) inputs = inputs.unsqueeze(1);
  auto dataset = Dataset::create(inputs, records_of(*classes, *range).to(at::kLong), normalization);
  if (!dataset) return fail(fmt::format("{}: {}", images.string(), dataset.error().message));
  return dataset;
}

}  // namespace lathe::compression

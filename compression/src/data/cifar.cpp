// CIFAR's binary version: records of one label byte (CIFAR-100: coarse, then fine) and 3 x 32 x 32 pixels, planes R G
// B.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <lathe/compression/dataset.hpp>

#include "data/byte_file.hpp"

namespace lathe::compression {
namespace {

constexpr std::int64_t kPixels = 3 * 32 * 32;

struct Layout {
  std::int64_t label_bytes;
  std::int64_t classes;
  [[nodiscard]] std::int64_t record() const { return label_bytes + kPixels; }
};

Layout layout_of(CifarKind kind) {
  return kind == CifarKind::Cifar10 ? Layout{1, 10} : Layout{2, 100};
}

/// [n, record] bytes.
Result<at::Tensor> read_batch(const std::filesystem::path& file, const Layout& layout) {
  auto bytes = read_bytes(file);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto size = static_cast<std::int64_t>(bytes->size());
  if (size == 0 || size % layout.record() != 0) {
    return fail(fmt::format("{}: {} bytes are not a whole number of CIFAR-{} records of {} bytes", file.string(), size,
                            layout.classes, layout.record()));
  }
  at::Tensor records = at::from_blob(bytes->data(), {size / layout.record(), layout.record()}, at::kByte).clone();
  const auto largest = records.select(1, layout.label_bytes - 1).max().item<std::int64_t>();
  if (largest >= layout.classes) {
    return fail(fmt::format("{}: label {} is out of range; CIFAR-{} has labels 0 to {}", file.string(), largest,
                            layout.classes, layout.classes - 1));
  }
  return records;
}

}  // namespace

Result<Dataset> load_cifar(const std::vector<std::filesystem::path>& batches, CifarKind kind, const Records& records,
                           const Normalization& normalization) {
  if (batches.empty()) return fail("a CIFAR data set needs at least one file");
  const Layout layout = layout_of(kind);
  std::vector<at::Tensor> parts;
  for (const auto& file : batches) {
    auto part = read_batch(file, layout);
    if (!part) return tl::unexpected(part.error());
    parts.push_back(std::move(*part));
  }
  const at::Tensor all = at::cat(parts);
  const auto range = resolve_records(records, all.size(0), batches.front());
  if (!range) return tl::unexpected(range.error());
  const at::Tensor chosen = all.narrow(0, range->begin, *range->end - range->begin);
  const at::Tensor labels = chosen.select(1, layout.label_bytes - 1).to(at::kLong);
  const at::Tensor pixels = chosen.narrow(1, layout.label_bytes, kPixels).reshape({-1, 3, 32, 32});
  return Dataset::create(pixels, labels, normalization);
}

}  // namespace lathe::compression

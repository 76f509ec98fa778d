// CIFAR's binary version: records of one label byte (CIFAR-100: coarse, then fine) and 3 x 32 x 32 pixels, planes R G
// B.
#include <algorithm>
#include <memory>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <lathe/compression/dataset.hpp>

#include "data/byte_file.hpp"
#include "data/tensor_source.hpp"

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
  auto bytes = FileBytes::open(file);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto size = static_cast<std::int64_t>((*bytes)->size());
  if (size == 0 || size % layout.record() != 0) {
    return fail(fmt::format("{}: {} bytes are not a whole number of CIFAR-{} records of {} bytes", file.string(), size,
                            layout.classes, layout.record()));
  }
  at::Tensor records = (*bytes)->tensor(0, {size / layout.record(), layout.record()}, at::kByte);
  const auto largest = records.select(1, layout.label_bytes - 1).max().item<std::int64_t>();
  if (largest >= layout.classes) {
    return fail(fmt::format("{}: label {} is out of range; CIFAR-{} has labels 0 to {}", file.string(), largest,
                            layout.classes, layout.classes - 1));
  }
  return records;
}

/// The parts cut to the records of `range`, which counts through all of them; empty ones are left out.
std::vector<at::Tensor> records_of(const std::vector<at::Tensor>& parts, const Records& range) {
  std::vector<at::Tensor> kept;
  std::int64_t first = 0;
  for (const at::Tensor& part : parts) {
    const std::int64_t begin = std::max(range.begin - first, std::int64_t{0});
    const std::int64_t end = std::min(*range.end - first, part.size(0));
    if (begin < end) kept.push_back(part.narrow(0, begin, end - begin));
    first += part.size(0);
  }
  return kept;
}

}  // namespace

Result<Dataset> load_cifar(const std::vector<std::filesystem::path>& batches, CifarKind kind, const Records& records,
                           const Normalization& normalization) {
  if (batches.empty()) return fail("a CIFAR data set needs at least one file");
  const Layout layout = layout_of(kind);
  std::vector<at::Tensor> pixels;
  std::vector<at::Tensor> labels;
  std::int64_t count = 0;
  for (const auto& file : batches) {
    const auto part = read_batch(file, layout);
    if (!part) return tl::unexpected(part.error());
    pixels.push_back(part->narrow(1, layout.label_bytes, kPixels).unflatten(1, {3, 32, 32}));
    labels.push_back(part->select(1, layout.label_bytes - 1).to(at::kLong));
    count += part->size(0);
  }
  const auto range = resolve_records(records, count, batches.front());
  if (!range) return tl::unexpected(range.error());
  const at::Tensor targets = at::cat(labels).narrow(0, range->begin, *range->end - range->begin);
  return Dataset::create(std::make_shared<TensorSource>(records_of(pixels, *range)), targets, normalization);
}

}  // namespace lathe::compression

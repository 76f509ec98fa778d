#include <lathe/compression/npy.hpp>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/byte_file.hpp"
#include "data/npy_header.hpp"

namespace lathe::compression {
namespace {

Result<at::Tensor> read_npy(const std::filesystem::path& file, std::size_t least_dimensions, const char* what) {
  const auto bytes = FileBytes::open(file);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto header = read_npy_header({(*bytes)->data(), (*bytes)->size()});
  if (!header) return fail(fmt::format("{}: {}", file.string(), header.error().message));
  if (header->shape.size() < least_dimensions) {
    return fail(fmt::format("{}: shape [{}] is not that of {}", file.string(), fmt::join(header->shape, ", "), what));
  }
  return (*bytes)->tensor(header->bytes, header->shape, header->type);
}

}  // namespace

Result<Dataset> load_npy(const std::filesystem::path& inputs, const std::filesystem::path& targets,
                         const Records& records, const Normalization& normalization) {
  const auto values = read_npy(inputs, 2, "inputs, [N, …]");
  if (!values) return tl::unexpected(values.error());
  const auto answers = read_npy(targets, 1, "targets, [N] or [N, …]");
  if (!answers) return tl::unexpected(answers.error());
  if (values->size(0) != answers->size(0)) {
    return fail(fmt::format("{} has {} records and {} has {} targets; expected as many", inputs.string(),
                            values->size(0), targets.string(), answers->size(0)));
  }
  const auto range = resolve_records(records, values->size(0), inputs);
  if (!range) return tl::unexpected(range.error());
  const std::int64_t count = *range->end - range->begin;
  at::Tensor chosen = answers->narrow(0, range->begin, count);
  if (!chosen.is_floating_point() && chosen.dim() == 2 && chosen.size(1) == 1) chosen = chosen.squeeze(1);
  auto dataset = Dataset::create(values->narrow(0, range->begin, count), chosen, normalization);
  if (!dataset) return fail(fmt::format("{}: {}", inputs.string(), dataset.error().message));
  return dataset;
}

}  // namespace lathe::compression

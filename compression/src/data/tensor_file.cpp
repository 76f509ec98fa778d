#include <optional>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <lathe/compression/dataset.hpp>

#include "data/byte_file.hpp"

namespace lathe::compression {
namespace {

using Pair = std::pair<at::Tensor, at::Tensor>;

constexpr auto kExpected = "a tuple (inputs, targets) or a dict with the keys inputs and targets, both tensors";

std::optional<Pair> from_elements(c10::ArrayRef<c10::IValue> elements) {
  if (elements.size() != 2 || !elements[0].isTensor() || !elements[1].isTensor()) return std::nullopt;
  return Pair{elements[0].toTensor(), elements[1].toTensor()};
}

/// Keys of other types, and other keys, are passed over.
std::optional<Pair> from_dict(const c10::Dict<c10::IValue, c10::IValue>& dict) {
  Pair pair;
  for (const auto& entry : dict) {
    if (!entry.key().isString() || !entry.value().isTensor()) continue;
    if (entry.key().toStringRef() == "inputs") pair.first = entry.value().toTensor();
    if (entry.key().toStringRef() == "targets") pair.second = entry.value().toTensor();
  }
  if (!pair.first.defined() || !pair.second.defined()) return std::nullopt;
  return pair;
}

std::optional<Pair> find_pair(const c10::IValue& value) {
  if (value.isTuple()) return from_elements(value.toTupleRef().elements());
  if (value.isTensorList() && value.toTensorVector().size() == 2) {
    const auto tensors = value.toTensorVector();
    return Pair{tensors[0], tensors[1]};
  }
  if (value.isList()) return from_elements(value.toListRef());
  if (value.isGenericDict()) return from_dict(value.toGenericDict());
  return std::nullopt;
}

Result<c10::IValue> unpickle(const std::filesystem::path& file) {
  auto bytes = read_bytes(file);
  if (!bytes) return tl::unexpected(bytes.error());
  try {
    return torch::jit::pickle_load({bytes->begin(), bytes->end()});
  } catch (const std::exception&) {
    return fail(fmt::format("{}: not a tensor file, or damaged; expected what torch.save writes of {}", file.string(),
                            kExpected));
  }
}

Result<void> check_types(const Pair& pair) {
  const auto& [inputs, targets] = pair;
  const auto dense = [](const at::Tensor& t) { return t.device().is_cpu() && t.layout() == at::kStrided; };
  if (!dense(inputs) || !dense(targets)) return fail("expected dense tensors on the CPU");
  if (!inputs.is_floating_point() && inputs.scalar_type() != at::kByte) {
    return fail(fmt::format("inputs are of type {}; expected bytes or floating-point numbers",
                            c10::toString(inputs.scalar_type())));
  }
  if (!at::isIntegralType(targets.scalar_type(), false) && !targets.is_floating_point()) {
    return fail(fmt::format("targets are of type {}; expected integers (classes) or floating-point numbers",
                            c10::toString(targets.scalar_type())));
  }
  return {};
}

Result<Dataset> make_dataset(const Pair& pair, const Records& records, const std::filesystem::path& file,
                             const Normalization& normalization) {
  if (auto types = check_types(pair); !types) return fail(fmt::format("{}: {}", file.string(), types.error().message));
  at::Tensor inputs = pair.first;
  at::Tensor targets = pair.second;
  if (inputs.dim() < 2 || targets.dim() < 1 || inputs.size(0) != targets.size(0)) {
    return fail(fmt::format("{}: inputs of {} dimensions and targets of {} do not go together; expected [N, …] and [N]",
                            file.string(), inputs.dim(), targets.dim()));
  }
  const auto range = resolve_records(records, inputs.size(0), file);
  if (!range) return tl::unexpected(range.error());
  const std::int64_t count = *range->end - range->begin;
  inputs = inputs.detach().narrow(0, range->begin, count);
  targets = targets.narrow(0, range->begin, count).detach();
  if (inputs.scalar_type() != at::kByte) inputs = inputs.to(at::kFloat);
  const bool classes = !targets.is_floating_point();
  if (classes && targets.dim() == 2 && targets.size(1) == 1) targets = targets.squeeze(1);
  auto dataset = Dataset::create(inputs, targets, normalization);
  if (!dataset) return fail(fmt::format("{}: {}", file.string(), dataset.error().message));
  return dataset;
}

}  // namespace

Result<Dataset> load_tensors(const std::filesystem::path& file, const Records& records,
                             const Normalization& normalization) {
  const auto value = unpickle(file);
  if (!value) return tl::unexpected(value.error());
  const auto pair = find_pair(*value);
  if (!pair) return fail(fmt::format("{}: holds {}; expected {}", file.string(), value->tagKind(), kExpected));
  return make_dataset(*pair, records, file, normalization);
}

}  // namespace lathe::compression

#include "onnx/import/rules/padding.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace lathe::compression::onnx_in {
namespace {

/// `total`, the odd one behind (SAME_UPPER) or in front (SAME_LOWER).
void share_out(std::int64_t total, bool upper, Pads& pads) {
  const std::int64_t less = total / 2;
  pads.begin.push_back(upper ? less : total - less);
  pads.end.push_back(upper ? total - less : less);
}

Pads explicit_pads(NodeCall& call, std::size_t spatial) {
  const Ints all = call.integers("pads", Ints(2 * spatial, 0), 2 * spatial);
  constexpr std::int64_t kMost = 1 << 20;
  if (std::any_of(all.begin(), all.end(), [](std::int64_t n) { return n < 0 || n > kMost; })) {
    call.bad("its pads are negative or enormous");
  }
  const auto half = all.begin() + static_cast<std::ptrdiff_t>(spatial);
  return {Ints(all.begin(), half), Ints(half, all.end())};
}

/// SAME_UPPER or SAME_LOWER; nothing to do with pads otherwise.
bool is_same(NodeCall& call, const std::string& mode) {
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") call.bad(fmt::format("auto_pad is `{}`", mode));
  return true;
}

}  // namespace

Pads Pads::negative() const {
  Pads pads{Ints(begin.size(), 0), Ints(begin.size(), 0)};
  if (is_even()) return pads;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    pads.begin[i] = -begin[i];
    pads.end[i] = -end[i];
  }
  return pads;
}

Pads pads_of(NodeCall& call, const Ints& kernel, const Ints& strides, const Ints& dilations) {
  const std::string mode = call.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return explicit_pads(call, kernel.size());
  if (mode == "VALID") return {Ints(kernel.size(), 0), Ints(kernel.size(), 0)};
  (void)is_same(call, mode);
  Pads pads;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const std::int64_t extent = dilations[i] * (kernel[i] - 1) + 1;
    // With stride 1 the size of the input does not matter.
    std::int64_t total = extent - 1;
    if (strides[i] > 1) {
      const std::int64_t in = call.fixed_size(0, static_cast<std::int64_t>(i) + 2);
      const std::int64_t out = (in + strides[i] - 1) / strides[i];
      total = std::max<std::int64_t>((out - 1) * strides[i] + extent - in, 0);
    }
    share_out(total, mode == "SAME_UPPER", pads);
  }
  return pads;
}

Pads transposed_pads(NodeCall& call, const Ints& kernel, const Ints& strides, const Ints& dilations) {
  const std::string mode = call.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return explicit_pads(call, kernel.size());
  if (mode == "VALID") return {Ints(kernel.size(), 0), Ints(kernel.size(), 0)};
  (void)is_same(call, mode);
  Pads pads;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const std::int64_t total = dilations[i] * (kernel[i] - 1) + 1 - strides[i];
    share_out(std::max<std::int64_t>(total, 0), mode == "SAME_UPPER", pads);
  }
  return pads;
}

std::string padded(const std::string& code, const Pads& pads, const std::string& value) {
  if (pads.is_even()) return code;
  Ints pairs;
  for (std::size_t i = pads.begin.size(); i-- > 0;) {
    pairs.push_back(pads.begin[i]);
    pairs.push_back(pads.end[i]);
  }
  return fmt::format("torch.constant_pad_nd({}, {}, {})", code, list_code(pairs), value);
}

}  // namespace lathe::compression::onnx_in

// Operators that only move elements about.
#include <algorithm>
#include <numeric>
#include <string>

#include <ATen/Functions.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// 0 copies the size of the input, unless allowzero.
void reshape(NodeCall& call) {
  auto codes = call.opset() < 5 ? std::nullopt : call.integer_codes(1);
  if (!codes) call.bad("its shape hangs on the data");
  const auto& integers = call.value(0).integers;
  if (integers && (codes->size() == 1 || (codes->empty() && integers->size() == 1))) {
    return call.out_integers(*integers, codes->empty());
  }
  const std::string x = call.in(0);
  const bool zeros = call.integer("allowzero", 0) != 0;
  for (std::size_t i = 0; i < codes->size(); ++i)
    if ((*codes)[i] == "0" && !zeros) (*codes)[i] = fmt::format("{}.size({})", x, i);
  call.out(fmt::format("{}.reshape({})", x, list_code(*codes)));
}

void flatten(NodeCall& call) {
  const std::int64_t axis = call.integer("axis", 1);
  const std::string x = call.in(0);
  if (axis == 1) return call.out(fmt::format("{}.flatten(1)", x));
  if (axis == 0) return call.out(fmt::format("{}.reshape([1, -1])", x));
  const std::int64_t rank = call.required_rank(0);
  const std::int64_t from = call.wrapped(axis, rank);
  call.out(from == 0 ? fmt::format("{}.reshape([1, -1])", x)
                     : fmt::format("{}.flatten({}).flatten(0, {})", x, from, from - 1));
}

void transpose(NodeCall& call) {
  Ints order = call.integers("perm", {});
  if (order.empty()) {
    order.resize(static_cast<std::size_t>(call.required_rank(0)));
    std::iota(order.rbegin(), order.rend(), std::int64_t{0});
  }
  Ints sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<std::int64_t>(i)) call.bad("its perm is no permutation");
  call.out(fmt::format("{}.permute({})", call.in(0), list_code(order)));
}

void squeeze(NodeCall& call) {
  const auto axes = call.fixed_integers("axes", 1);
  if (call.is_integer_list(0) && call.value(0).integers->size() == 1) {
    return call.out_integers(*call.value(0).integers, true);
  }
  const std::string x = call.in(0);
  if (!axes) return call.out(fmt::format("{}.squeeze()", x));
  const std::int64_t rank = call.required_rank(0);
  Ints sorted;
  for (const std::int64_t axis : *axes) sorted.push_back(call.wrapped(axis, rank));
  std::sort(sorted.rbegin(), sorted.rend());
  std::string code = x;
  for (const std::int64_t axis : sorted) code += fmt::format(".squeeze({})", axis);
  call.out(code);
}

void unsqueeze(NodeCall& call) {
  const auto axes = call.fixed_integers("axes", 1);
  if (!axes) call.bad("it has no axes");
  if (call.is_integer(0) && axes->size() == 1) return call.out_integers(*call.value(0).integers, false);
  Ints sorted;
  const bool negative = std::any_of(axes->begin(), axes->end(), [](std::int64_t n) { return n < 0; });
  const std::int64_t rank = negative ? call.required_rank(0) + static_cast<std::int64_t>(axes->size()) : 0;
  for (const std::int64_t axis : *axes) sorted.push_back(axis < 0 ? call.wrapped(axis, rank) : axis);
  std::sort(sorted.begin(), sorted.end());
  std::string code = call.in(0);
  for (const std::int64_t axis : sorted) code += fmt::format(".unsqueeze({})", axis);
  call.out(code);
}

/// Shapes that are put together from integers stay expressions.
bool concat_integers(NodeCall& call) {
  Strings all;
  bool dynamic = false;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    const auto codes = call.integer_codes(i);
    if (!codes || call.rank(i) != 1) return false;
    dynamic |= call.value(i).integers.has_value();
    all.insert(all.end(), codes->begin(), codes->end());
  }
  if (dynamic) call.out_integers(all, false);
  return dynamic;
}

void concat(NodeCall& call) {
  if (call.input_count() == 0) call.bad("it has no input");
  if (concat_integers(call)) return;
  Strings parts;
  for (std::size_t i = 0; i < call.input_count(); ++i) parts.push_back(call.in(i));
  call.out(fmt::format("torch.cat({}, {})", list_code(parts), call.integer("axis", 1)));
}

void split(NodeCall& call) {
  const std::size_t count = call.node().outputs.size();
  const std::int64_t axis = call.integer("axis", 0);
  const auto sizes = call.fixed_integers("split", 1);
  const std::string x = call.in(0);
  const std::string parts = call.builder().new_variable();
  if (sizes) {
    if (sizes->size() != count) call.bad(fmt::format("{} sizes for {} outputs", sizes->size(), count));
    call.line(fmt::format("{} = torch.split_with_sizes({}, {}, {})", parts, x, list_code(*sizes), axis));
  } else {
    call.line(fmt::format("{} = torch.chunk({}, {}, {})", parts, x, count, axis));
  }
  for (std::size_t i = 0; i < count; ++i) call.out(fmt::format("{}[{}]", parts, i), i);
}

/// Both sides are broadcast: a size of 1 keeps the input's.
void expand(NodeCall& call) {
  const auto codes = call.integer_codes(1);
  if (!codes) call.bad("its shape hangs on the data");
  const std::string x = call.in(0);
  const std::int64_t rank = call.required_rank(0);
  Strings sizes;
  for (std::int64_t i = static_cast<std::int64_t>(codes->size()); i < rank; ++i) sizes.emplace_back("-1");
  const std::int64_t fresh = static_cast<std::int64_t>(codes->size()) - rank;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(codes->size()); ++i) {
    const std::string& code = (*codes)[static_cast<std::size_t>(i)];
    sizes.push_back(code == "1" && i >= fresh ? "-1" : code);
  }
  call.out(fmt::format("{}.expand({})", x, list_code(sizes)));
}

void tile(NodeCall& call) {
  const auto codes = call.integer_codes(1);
  if (!codes) call.bad("its repeats hang on the data");
  call.out(fmt::format("{}.repeat({})", call.in(0), list_code(*codes)));
}

/// ONNX has all that begin, then all that end; PyTorch pairs from the last dimension on.
Ints torch_pads(NodeCall& call, Ints pads) {
  if (pads.size() % 2 != 0) call.bad("its pads are not two for each dimension");
  const std::size_t rank = pads.size() / 2;
  Ints pairs;
  for (std::size_t i = rank; i-- > 0;) {
    pairs.push_back(pads[i]);
    pairs.push_back(pads[i + rank]);
  }
  while (pairs.size() > 2 && pairs.back() == 0 && pairs[pairs.size() - 2] == 0) pairs.resize(pairs.size() - 2);
  return pairs;
}

void pad(NodeCall& call) {
  const auto given = call.fixed_integers("pads", 1);
  if (!given) call.bad("it has no pads");
  const Ints pairs = torch_pads(call, *given);
  const std::string mode = call.text("mode", "constant");
  if (mode == "constant") {
    const double value = call.opset() < 11 ? call.real("value", 0) : call.has(2) ? call.number(2, "value") : 0;
    const bool real = c10::isFloatingType(call.type(0));
    return call.out(fmt::format("torch.constant_pad_nd({}, {}, {})", call.in(0), list_code(pairs),
                                real ? number_code(value) : std::to_string(static_cast<std::int64_t>(value))));
  }
  if (mode != "reflect" && mode != "edge") call.bad(fmt::format("its mode is `{}`", mode));
  if (pairs.size() / 2 > 3) call.bad("it pads the batch or the channels by reflection");
  call.out(fmt::format("torch.{}_pad{}d({}, {})", mode == "reflect" ? "reflection" : "replication", pairs.size() / 2,
                       call.in(0), list_code(pairs)));
}

/// Blocks of channels to blocks of pixels; DCR takes the block first, CRD the channel.
void depth_to_space(NodeCall& call) {
  const std::int64_t block = call.integer("blocksize", 0);
  if (block < 1) call.bad("its blocksize is not positive");
  const std::string x = call.in(0);
  if (call.text("mode", "DCR") == "CRD") return call.out(fmt::format("torch.pixel_shuffle({}, {})", x, block));
  const std::string channels = fmt::format("{}.size(1) // {}", x, block * block);
  call.out(
      fmt::format("{0}.reshape([{0}.size(0), {1}, {1}, {2}, {0}.size(2), {0}.size(3)]).permute([0, 3, 4, 1, 5, 2])"
                  ".reshape([{0}.size(0), {2}, {0}.size(2) * {1}, {0}.size(3) * {1}])",
                  x, block, channels));
}

void space_to_depth(NodeCall& call) {
  const std::int64_t block = call.integer("blocksize", 0);
  if (block < 1) call.bad("its blocksize is not positive");
  const std::string x = call.in(0);
  call.out(
      fmt::format("{0}.reshape([{0}.size(0), {0}.size(1), {0}.size(2) // {1}, {1}, {0}.size(3) // {1}, {1}])"
                  ".permute([0, 3, 5, 1, 2, 4]).reshape([{0}.size(0), {0}.size(1) * {2}, {0}.size(2) // {1}, "
                  "{0}.size(3) // {1}])",
                  x, block, block * block));
}

void trilu(NodeCall& call) {
  const auto diagonal = call.has(1) ? static_cast<std::int64_t>(call.number(1, "k")) : 0;
  call.out(fmt::format("torch.{}({}, {})", call.integer("upper", 1) != 0 ? "triu" : "tril", call.in(0), diagonal));
}

void einsum(NodeCall& call) {
  const std::string equation = call.text("equation", "");
  const bool plain = std::all_of(equation.begin(), equation.end(), [](unsigned char c) {
    return std::isalpha(c) != 0 || c == ',' || c == '-' || c == '>' || c == '.' || c == ' ';
  });
  if (equation.empty() || !plain) call.bad("its equation has other characters than letters, commas, dots and an arrow");
  Strings operands;
  for (std::size_t i = 0; i < call.input_count(); ++i) operands.push_back(call.in(i));
  call.out(fmt::format("torch.einsum('{}', {})", equation, list_code(operands)));
}

}  // namespace

const Rules& layout_rules() {
  static const Rules rules{{"Reshape", reshape},
                           {"Flatten", flatten},
                           {"Transpose", transpose},
                           {"Squeeze", squeeze},
                           {"Unsqueeze", unsqueeze},
                           {"Concat", concat},
                           {"Split", split},
                           {"Expand", expand},
                           {"Tile", tile},
                           {"Pad", pad},
                           {"DepthToSpace", depth_to_space},
                           {"SpaceToDepth", space_to_depth},
                           {"Trilu", trilu},
                           {"Einsum", einsum}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

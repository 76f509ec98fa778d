#include "speedup/traced_model.hpp"

#include <exception>
#include <utility>

#include "speedup/masked_model.hpp"

namespace lathe::compression {
namespace {

/// One row would do, but for operators that drop axes of size 1.
constexpr std::int64_t kRows = 2;

std::pair<at::Tensor, ChannelTrace> trace_few_rows(const FlatGraph& flat, const PathMasks& masks,
                                                   const at::Tensor& example) {
  if (example.dim() > 0 && example.size(0) > kRows) {
    const at::Tensor few = example.narrow(0, 0, kRows).contiguous();
    try {
      return {few, trace_channels(flat, masks, few)};
    } catch (const std::exception&) {  // the number of rows may be written in the program
    }
  }
  return {example, trace_channels(flat, masks, example)};
}

}  // namespace

Result<TracedModel> trace_model(const torch::jit::Module& model, const PathMasks& masks, const at::Tensor& example) {
  torch::jit::Module masked = masked_copy(model, masks);
  auto flat = FlatGraph::of(masked);
  if (!flat) return tl::unexpected(flat.error());
  auto [input, trace] = trace_few_rows(*flat, masks, example);
  return TracedModel{std::move(masked), std::move(*flat), std::move(input), std::move(trace)};
}

}  // namespace lathe::compression

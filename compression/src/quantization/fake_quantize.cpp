#include <algorithm>
#include <limits>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <lathe/compression/quant_grid.hpp>

#include "quantization/by_operators.hpp"
#include "quantization/kernels.hpp"

namespace lathe::compression {
namespace {

constexpr std::int64_t kGrain = 32768;  // elements that are worth a thread

/// A dense tensor as [outer, channels, inner] in memory; one channel takes in all of it.
struct ChannelLayout {
  std::int64_t outer = 1;
  std::int64_t channels = 1;
  std::int64_t inner = 0;

  static ChannelLayout of(const at::Tensor& tensor, std::optional<std::int64_t> axis) {
    if (!axis) return {1, 1, tensor.numel()};
    ChannelLayout layout{1, tensor.size(*axis), 1};
    for (std::int64_t i = 0; i < *axis; ++i) layout.outer *= tensor.size(i);
    for (std::int64_t i = *axis + 1; i < tensor.dim(); ++i) layout.inner *= tensor.size(i);
    return layout;
  }
};

void check_tensor(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.layout() == at::kStrided,
              "fake quantization needs a dense float32 tensor, not ", tensor.toString());
}

/// Memory in one piece, in order of the indices if channels are to be found in it.
at::Tensor dense(const at::Tensor& tensor, bool ordered) {
  return !ordered && tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
}

template <class T>
kernels::Affine<T> affine(const QuantGrid& grid, std::size_t channel) {
  return {static_cast<T>(grid.scale[channel]), static_cast<T>(grid.zero_point[channel]),
          static_cast<T>(grid.levels.min), static_cast<T>(grid.levels.max)};
}

/// One scale for `n` elements.
void quantize_span(const float* x, float* y, std::uint8_t* pass, std::int64_t n, const QuantGrid& grid,
                   std::size_t channel) {
  if (grid.levels.max - grid.levels.min < kernels::kFloatLevels) {
    kernels::quantize(x, y, pass, n, affine<float>(grid, channel));
  } else {
    kernels::quantize(x, y, pass, n, affine<double>(grid, channel));
  }
}

void quantize_tensor(const float* x, float* y, std::uint8_t* pass, std::int64_t n, const QuantGrid& grid) {
  at::parallel_for(0, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    quantize_span(x + begin, y + begin, pass == nullptr ? nullptr : pass + begin, end - begin, grid, 0);
  });
}

/// Channels side by side in memory.
void quantize_rows(const float* x, float* y, std::uint8_t* pass, const ChannelLayout& layout, const QuantGrid& grid) {
  const std::vector<float> zero_point(grid.zero_point.begin(), grid.zero_point.end());
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / layout.channels);
  at::parallel_for(0, layout.outer, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t at = row * layout.channels;
      kernels::quantize_row(x + at, y + at, pass == nullptr ? nullptr : pass + at, layout.channels, grid.scale.data(),
                            zero_point.data(), static_cast<float>(grid.levels.min),
                            static_cast<float>(grid.levels.max));
    }
  });
}

void quantize_channels(const float* x, float* y, std::uint8_t* pass, const ChannelLayout& layout,
                       const QuantGrid& grid) {
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, layout.inner));
  at::parallel_for(0, layout.outer * layout.channels, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t span = begin; span < end; ++span) {
      const std::int64_t at = span * layout.inner;
      quantize_span(x + at, y + at, pass == nullptr ? nullptr : pass + at, layout.inner, grid,
                    static_cast<std::size_t>(span % layout.channels));
    }
  });
}

/// `pass`, of which the bytes are to be filled in, may be undefined.
void quantize_into(const at::Tensor& x, const at::Tensor& y, const at::Tensor& pass, const QuantGrid& grid) {
  const auto* from = x.data_ptr<float>();
  auto* to = y.data_ptr<float>();
  auto* pass_bytes = pass.defined() ? pass.data_ptr<std::uint8_t>() : nullptr;
  if (grid.scale.size() == 1) return quantize_tensor(from, to, pass_bytes, x.numel(), grid);
  const ChannelLayout layout = ChannelLayout::of(x, grid.axis);
  const bool fits_float = grid.levels.max - grid.levels.min < kernels::kFloatLevels;
  if (layout.inner == 1 && fits_float) return quantize_rows(from, to, pass_bytes, layout, grid);
  quantize_channels(from, to, pass_bytes, layout, grid);
}

at::Tensor pass_gradient(const at::Tensor& gradient, const at::Tensor& pass) {
  // The strides of both decide which elements meet; a gradient laid out otherwise is put in the mask's order.
  at::Tensor source = gradient;
  if (gradient.strides() != pass.strides()) source = at::empty_like(pass, gradient.options()).copy_(gradient);
  at::Tensor out = at::empty_like(source);
  const auto* from = source.data_ptr<float>();
  const auto* bytes = pass.data_ptr<std::uint8_t>();
  auto* to = out.data_ptr<float>();
  at::parallel_for(0, source.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    kernels::pass_gradient(from + begin, bytes + begin, to + begin, end - begin);
  });
  return out;
}

class FakeQuantize : public torch::autograd::Function<FakeQuantize> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& tensor,
                            const QuantGrid& grid) {
    if (!tensor.is_cpu()) {
      const by_operators::Quantized quantized = by_operators::quantize(tensor, grid);
      context->save_for_backward({quantized.pass});
      return quantized.values;
    }
    const at::Tensor x = dense(tensor, grid.scale.size() > 1);
    at::Tensor y = at::empty_like(x);
    at::Tensor pass = at::empty_like(x, x.options().dtype(at::kByte));
    quantize_into(x, y, pass, grid);
    context->save_for_backward({pass});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor pass = context->get_saved_variables()[0];
    if (!pass.is_cpu()) return {gradients[0].mul(pass), at::Tensor()};
    return {pass_gradient(gradients[0], pass), at::Tensor()};
  }
};

ValueRange joined(const ValueRange& a, const ValueRange& b) {
  if (a.min != a.min || b.min != b.min) {
    return {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::quiet_NaN()};
  }
  return {std::min(a.min, b.min), std::max(a.max, b.max)};
}

ValueRange tensor_range(const float* x, std::int64_t n) {
  return at::parallel_reduce(
      0, n, kGrain, ValueRange{x[0], x[0]},
      [&](std::int64_t begin, std::int64_t end, const ValueRange& range) {
        return joined(range, kernels::range(x + begin, end - begin));
      },
      joined);
}

}  // namespace

std::vector<ValueRange> value_ranges(const at::Tensor& tensor, std::optional<std::int64_t> axis) {
  check_tensor(tensor);
  if (!tensor.is_cpu()) return by_operators::ranges(tensor, axis);
  const at::Tensor x = dense(tensor, axis.has_value());
  const ChannelLayout layout = ChannelLayout::of(x, axis);
  std::vector<ValueRange> ranges(static_cast<std::size_t>(layout.channels));
  if (x.numel() == 0) return ranges;
  if (!axis) return {tensor_range(x.data_ptr<float>(), x.numel())};
  // Rows side by side would be read value by value; a transposed copy is quicker.
  const at::Tensor spans = layout.inner == 1 ? x.reshape({layout.outer, layout.channels}).t().contiguous() : x;
  const std::int64_t length = layout.inner == 1 ? layout.outer : layout.inner;
  const std::int64_t count = layout.inner == 1 ? layout.channels : layout.outer * layout.channels;
  const auto* values = spans.data_ptr<float>();
  for (std::int64_t span = 0; span < count; ++span) {
    ValueRange& range = ranges[static_cast<std::size_t>(span % layout.channels)];
    const ValueRange found = kernels::range(values + span * length, length);
    range = span < layout.channels ? found : joined(range, found);
  }
  return ranges;
}

at::Tensor fake_quantize(const at::Tensor& tensor, const QuantGrid& grid) {
  check_tensor(tensor);
  const auto channels = static_cast<std::int64_t>(grid.scale.size());
  TORCH_CHECK(channels == 1 || (grid.axis < tensor.dim() && tensor.size(grid.axis) == channels), "a grid of ", channels,
              " channels does not fit a tensor of shape ", tensor.sizes());
  if (at::GradMode::is_enabled() && tensor.requires_grad()) return FakeQuantize::apply(tensor, grid);
  if (!tensor.is_cpu()) return by_operators::quantize(tensor, grid).values;
  const at::Tensor x = dense(tensor, channels > 1);
  at::Tensor y = at::empty_like(x);
  quantize_into(x, y, {}, grid);
  return y;
}

}  // namespace lathe::compression

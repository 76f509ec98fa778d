// Pools, and local response normalisation, which is one over channels.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "onnx/import/node_call.hpp"
#include "onnx/import/rules/padding.hpp"

namespace lathe::compression::onnx_in {
namespace {

struct Window {
  Ints kernel;
  Ints strides;
  Ints dilations;
  Pads pads;
  bool ceil;

  explicit Window(NodeCall& call) {
    kernel = call.integers("kernel_shape", {});
    if (kernel.empty() || kernel.size() > 3) call.bad("kernel_shape is missing or not of 1 to 3 numbers");
    strides = call.integers("strides", Ints(kernel.size(), 1), kernel.size());
    dilations = call.integers("dilations", Ints(kernel.size(), 1), kernel.size());
    for (const Ints* numbers : {&kernel, &strides, &dilations})
      for (const std::int64_t number : *numbers)
        if (number < 1) call.bad("kernel_shape, strides and dilations must be positive");
    pads = pads_of(call, kernel, strides, dilations);
    ceil = call.integer("ceil_mode", 0) != 0;
  }

  /// PyTorch pads at most half a window itself.
  [[nodiscard]] bool fits() const {
    if (!pads.is_even()) return false;
    for (std::size_t i = 0; i < kernel.size(); ++i)
      if (pads.begin[i] > kernel[i] / 2) return false;
    return true;
  }
};

std::string outside(const std::string& x, const Window& window, const std::string& value) {
  Pads uneven = window.pads;
  if (uneven.is_even() && uneven.begin.size() > 0) {
    // Too much for the operator: the same, but outside of it.
    Ints pairs;
    for (std::size_t i = uneven.begin.size(); i-- > 0;) {
      pairs.push_back(uneven.begin[i]);
      pairs.push_back(uneven.end[i]);
    }
    return fmt::format("torch.constant_pad_nd({}, {}, {})", x, list_code(pairs), value);
  }
  return padded(x, uneven, value);
}

void max_pool(NodeCall& call) {
  if (call.node().outputs.size() > 1 && !call.node().outputs[1].empty()) call.bad("its second output is not supported");
  const Window window(call);
  const std::string x = window.fits() ? call.in(0) : outside(call.in(0), window, "float('-inf')");
  const Ints inside = window.fits() ? window.pads.begin : Ints(window.kernel.size(), 0);
  call.out(fmt::format("torch.max_pool{}d({}, {}, {}, {}, {}, {})", window.kernel.size(), x, list_code(window.kernel),
                       list_code(window.strides), list_code(inside), list_code(window.dilations),
                       window.ceil ? "True" : "False"));
}

std::string plain_average(const Window& window, const std::string& x, const Ints& pads, bool include) {
  return fmt::format("torch.avg_pool{}d({}, {}, {}, {}, {}, {})", window.kernel.size(), x, list_code(window.kernel),
                     list_code(window.strides), list_code(pads), window.ceil ? "True" : "False",
                     include ? "True" : "False");
}

void average_pool(NodeCall& call) {
  const Window window(call);
  if (std::any_of(window.dilations.begin(), window.dilations.end(), [](auto n) { return n != 1; })) {
    call.bad("dilations are not supported");
  }
  const bool include = call.integer("count_include_pad", 0) != 0;
  const std::string x = call.in(0);
  if (window.fits()) return call.out(plain_average(window, x, window.pads.begin, include));
  const Ints none(window.kernel.size(), 0);
  const std::string sums = plain_average(window, outside(x, window, "0."), none, true);
  if (include) return call.out(sums);
  // The share of each window that is data.
  const std::string shares =
      plain_average(window, outside(fmt::format("torch.ones_like({})", x), window, "0."), none, true);
  call.out(fmt::format("{} / {}", sums, shares));
}

void global_pool(NodeCall& call) {
  const std::int64_t spatial = call.required_rank(0) - 2;
  if (spatial < 1) call.bad("its input has no spatial dimensions");
  const bool average = call.node().type == "GlobalAveragePool";
  Ints axes;
  for (std::int64_t i = 0; i < spatial; ++i) axes.push_back(i + 2);
  if (average && spatial == 2) return call.out(fmt::format("torch.adaptive_avg_pool2d({}, [1, 1])", call.in(0)));
  call.out(average ? fmt::format("torch.mean({}, {}, True)", call.in(0), list_code(axes))
                   : fmt::format("torch.amax({}, {}, True)", call.in(0), list_code(axes)));
}

/// x / (bias + alpha / size * sum of squares over `size` channels)^beta
void lrn(NodeCall& call) {
  const std::int64_t size = call.integer("size", 0);
  if (size < 1 || call.required_rank(0) != 4) call.bad("it is written for images and a positive size");
  const std::string x = call.in(0);
  const std::string squares = fmt::format("torch.constant_pad_nd(({0} * {0}).unsqueeze(1), [0, 0, 0, 0, {1}, {2}], 0.)",
                                          x, (size - 1) / 2, size / 2);
  const std::string mean = fmt::format("torch.avg_pool3d({}, [{}, 1, 1], [1, 1, 1]).squeeze(1)", squares, size);
  call.out(fmt::format("{} / torch.pow({} * {} + {}, {})", x, mean, number_code(call.real("alpha", 1e-4)),
                       number_code(call.real("bias", 1)), number_code(call.real("beta", 0.75))));
}

}  // namespace

const Rules& pooling_rules() {
  static const Rules rules{{"MaxPool", max_pool},
                           {"AveragePool", average_pool},
                           {"GlobalAveragePool", global_pool},
                           {"GlobalMaxPool", global_pool},
                           {"LRN", lrn}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

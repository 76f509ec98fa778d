// Upsampling, and moving between channels and pixels.
#include <cmath>
#include <string>

#include <ATen/Functions.h>

#include "onnx/op_call.hpp"

namespace lathe::compression::onnx_out {
namespace {

struct Resize {
  const char* mode;
  std::string coordinates;
  const char* nearest = "";
};

/// The older operators call it `self`, those with scale factors `input`.
at::Tensor input_of(OpCall& call) {
  return call.required(call.has("self") ? "self" : "input");
}

/// Factors of the two leading dimensions, which stay, and of the others. Empty: there are no factors that a float32
/// holds and that give the sizes that PyTorch got.
std::vector<float> scales_of(OpCall& call, const at::Tensor& x) {
  std::vector<float> scales{1, 1};
  const auto given = call.argument("scale_factors");
  for (std::int64_t axis = 2; axis < x.dim(); ++axis) {
    const auto in = static_cast<double>(call.fixed_size(x, axis));
    const auto out = static_cast<double>(call.fixed_size(call.result(), axis));
    const double factor =
        given.isDoubleList() ? given.toDoubleVector().at(static_cast<std::size_t>(axis) - 2) : out / in;
    scales.push_back(static_cast<float>(factor));
    if (std::floor(in * static_cast<double>(scales.back())) != out) return {};
  }
  return scales;
}

void resized(OpCall& call, const Resize& resize) {
  const at::Tensor x = input_of(call);
  Attributes attributes{{"mode", resize.mode}, {"coordinate_transformation_mode", resize.coordinates}};
  if (*resize.nearest != '\0') attributes.emplace_back("nearest_mode", resize.nearest);
  if (std::string(resize.mode) == "cubic") attributes.emplace_back("cubic_coeff_a", -0.75);
  Names inputs{call.name(x), "", ""};
  if (const auto scales = scales_of(call, x); !scales.empty()) {
    inputs[2] = call.constant(at::tensor(scales, at::kFloat));
  } else {
    inputs.push_back(call.shape(call.result_dims()));
  }
  call.out(call.add("Resize", inputs, attributes));
}

void nearest(OpCall& call) {
  resized(call, {"nearest", "asymmetric", "floor"});
}

void nearest_exact(OpCall& call) {
  resized(call, {"nearest", "half_pixel", "round_prefer_ceil"});
}

void linear(OpCall& call) {
  resized(call, {"linear", call.flag("align_corners") ? "align_corners" : "half_pixel"});
}

void bicubic(OpCall& call) {
  resized(call, {"cubic", call.flag("align_corners") ? "align_corners" : "half_pixel"});
}

void pixel_shuffle(OpCall& call) {
  const at::Tensor x = call.required("self");
  if (x.dim() != 4) throw Unsupported("its input is not of rank 4");
  call.out(call.add("DepthToSpace", {call.name(x)}, {{"blocksize", call.integer("upscale_factor")}, {"mode", "CRD"}}));
}

void pixel_unshuffle(OpCall& call) {
  const at::Tensor x = call.required("self");
  if (x.dim() != 4) throw Unsupported("its input is not of rank 4");
  const std::int64_t factor = call.integer("downscale_factor");
  const Sizes dims = call.dims(x);
  const std::int64_t height = call.fixed_size(x, 2) / factor;
  const std::int64_t width = call.fixed_size(x, 3) / factor;
  const Sizes blocks{dims[0], dims[1], {0, height}, {0, factor}, {0, width}, {0, factor}};
  const Sizes moved{dims[0], dims[1], {0, factor}, {0, factor}, {0, height}, {0, width}};
  const std::string y = call.transpose(call.reshape(call.name(x), dims, blocks), {0, 1, 3, 5, 2, 4});
  call.out(call.reshape(y, moved, call.result_dims()));
}

void channel_shuffle(OpCall& call) {
  const at::Tensor x = call.required("self");
  const std::int64_t groups = call.integer("groups");
  const std::int64_t each = call.fixed_size(x, 1) / groups;
  const Sizes dims = call.dims(x);
  Sizes apart{dims[0], {0, groups}, {0, each}};
  Sizes swapped{dims[0], {0, each}, {0, groups}};
  std::vector<std::int64_t> order{0, 2, 1};
  for (std::size_t i = 2; i < dims.size(); ++i) {
    apart.push_back(dims[i]);
    swapped.push_back(dims[i]);
    order.push_back(static_cast<std::int64_t>(i) + 1);
  }
  call.out(call.reshape(call.transpose(call.reshape(call.name(x), dims, apart), order), swapped, dims));
}

}  // namespace

const RuleTable& resize_rules() {
  static const RuleTable table{{"aten::upsample_nearest1d", nearest},
                               {"aten::upsample_nearest2d", nearest},
                               {"aten::upsample_nearest3d", nearest},
                               {"aten::_upsample_nearest_exact1d", nearest_exact},
                               {"aten::_upsample_nearest_exact2d", nearest_exact},
                               {"aten::_upsample_nearest_exact3d", nearest_exact},
                               {"aten::upsample_linear1d", linear},
                               {"aten::upsample_bilinear2d", linear},
                               {"aten::upsample_trilinear3d", linear},
                               {"aten::upsample_bicubic2d", bicubic},
                               {"aten::pixel_shuffle", pixel_shuffle},
                               {"aten::pixel_unshuffle", pixel_unshuffle},
                               {"aten::channel_shuffle", channel_shuffle},
                               {"aten::native_channel_shuffle", channel_shuffle}};
  return table;
}

}  // namespace lathe::compression::onnx_out

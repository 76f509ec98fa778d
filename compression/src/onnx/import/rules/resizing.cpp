// Resize and its predecessor Upsample.
#include <cmath>
#include <string>

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "onnx/import/node_call.hpp"

namespace lathe::compression::onnx_in {
namespace {

/// Output sizes or factors of the spatial dimensions, whichever the file has.
struct Target {
  Strings sizes;
  std::vector<double> factors;

  [[nodiscard]] bool whole_factors() const {
    for (const double factor : factors)
      if (factor < 1 || factor != std::floor(factor)) return false;
    return !factors.empty();
  }
};

std::vector<double> factors_of(NodeCall& call, std::size_t input) {
  const at::Tensor scales = call.required_constant(input, "scales").to(at::kDouble).contiguous().reshape({-1});
  const auto* data = scales.data_ptr<double>();
  return {data, data + scales.numel()};
}

Target target_of(NodeCall& call, std::int64_t rank) {
  Target target;
  const bool old = call.node().type == "Upsample" || call.opset() < 11;
  if (old && !call.has(1)) call.bad("it has no scales as an input (opset 8 and older)");
  const std::size_t scales = old ? 1 : 2;
  if (!old && call.has(3)) {
    const auto codes = call.integer_codes(3);
    if (!codes || codes->size() != static_cast<std::size_t>(rank)) call.bad("its sizes hang on the data");
    target.sizes.assign(codes->begin() + 2, codes->end());
    return target;
  }
  const auto all = factors_of(call, scales);
  if (all.size() != static_cast<std::size_t>(rank) || all[0] != 1 || all[1] != 1) {
    call.bad("it resizes the batch or the channels, or has not one factor for each dimension");
  }
  target.factors.assign(all.begin() + 2, all.end());
  for (const double factor : target.factors)
    if (!(factor > 0 && std::isfinite(factor) && factor < 1e4)) call.bad("its factors are not positive numbers");
  return target;
}

/// The operator and whether corners are aligned.
std::pair<std::string, std::string> method_of(NodeCall& call, std::int64_t spatial, const Target& target) {
  const std::string mode = call.text("mode", "nearest");
  const bool old = call.node().type == "Upsample" || call.opset() < 11;
  const std::string place = old ? "asymmetric" : call.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "nearest") {
    const std::string nearest = old ? "floor" : call.text("nearest_mode", "round_prefer_floor");
    const bool floor = place == "asymmetric" && nearest == "floor";
    // Whole factors: all of these repeat each pixel.
    const bool repeats = target.whole_factors() && (place == "half_pixel" || place == "tf_half_pixel_for_nn" || floor);
    if (floor || repeats) return {fmt::format("upsample_nearest{}d", spatial), ""};
    if (place == "half_pixel" && nearest == "round_prefer_ceil")
      return {fmt::format("_upsample_nearest_exact{}d", spatial), ""};
    call.bad(fmt::format("nearest neighbours by `{}` and `{}` are not supported", place, nearest));
  }
  const bool half = place == "half_pixel" || place == "pytorch_half_pixel";
  if (!half && place != "align_corners") call.bad(fmt::format("`{}` of mode `{}` is not supported", place, mode));
  const std::string corners = half ? "False, " : "True, ";
  static constexpr const char* kLinear[] = {"upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"};
  if (mode == "linear") return {kLinear[spatial - 1], corners};
  if (mode == "cubic" && spatial == 2 && std::abs(call.real("cubic_coeff_a", -0.75) + 0.75) < 1e-6) {
    return {"upsample_bicubic2d", corners};
  }
  call.bad(fmt::format("mode `{}` is not supported", mode));
}

void resize(NodeCall& call) {
  const std::int64_t rank = call.required_rank(0);
  if (rank < 3 || rank > 5) call.bad("it is written for one to three spatial dimensions");
  const Target target = target_of(call, rank);
  const auto [name, corners] = method_of(call, rank - 2, target);
  Strings factors;
  for (const double factor : target.factors) factors.push_back(number_code(factor));
  const std::string sizes = target.sizes.empty() ? "None" : list_code(target.sizes);
  const std::string scales = target.sizes.empty() ? list_code(factors) : "None";
  call.out(fmt::format("torch.{}({}, {}, {}{})", name, call.in(0), sizes, corners, scales));
}

}  // namespace

const Rules& resize_rules() {
  static const Rules rules{{"Resize", resize}, {"Upsample", resize}};
  return rules;
}

}  // namespace lathe::compression::onnx_in

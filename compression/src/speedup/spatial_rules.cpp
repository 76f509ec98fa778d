// Operators that work across the last axes of each channel: pooling, resizing, padding.
#include <algorithm>
#include <cmath>

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kAcross = "the operator works across the channels";

/// What becomes of a channel that is one number everywhere.
enum class Uniform { Same, Zero, Unknown };

at::Tensor value_after(const at::Tensor& value, Uniform uniform) {
  if (uniform == Uniform::Same) return value;
  const at::Tensor nan = at::scalar_tensor(NAN, at::kDouble);
  return uniform == Uniform::Zero ? at::where(value.eq(0), value, nan) : value.mul(nan);
}

/// `trailing` axes are worked across: channels on them must stay, others pass.
void across_last(Tracer& tracer, const Call& call, std::int64_t trailing, Uniform uniform) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  if (channel_axes(*read).back() >= input.dim() - trailing) return tracer.keep(call, input, kAcross);
  Channels made = *read;
  made.value = value_after(made.value, uniform);
  for (const auto& output : call.outputs)
    for (const auto& tensor : tensors_in(output))
      if (tensor.dim() == input.dim()) tracer.set(tensor, made, call);
}

std::int64_t spatial_axes(const Call& call) {
  const auto name = call.name();
  const auto digit = name.find_first_of("123");
  return digit == std::string_view::npos ? call.first().dim() - 2 : name[digit] - '0';
}

bool has_padding(const Call& call) {
  const auto padding = call.argument("padding");
  if (!padding.isIntList()) return false;
  for (const std::int64_t amount : padding.toIntVector())
    if (amount != 0) return true;
  return false;
}

void max_pool(Tracer& tracer, const Call& call) {
  across_last(tracer, call, spatial_axes(call), Uniform::Same);
}

/// Padding that counts, or a divisor of one's own, makes borders differ.
void average_pool(Tracer& tracer, const Call& call) {
  const auto divisor = call.argument("divisor_override");
  const bool plain = !has_padding(call) && divisor.isNone();
  across_last(tracer, call, spatial_axes(call), plain ? Uniform::Same : Uniform::Zero);
}

/// Zero stays zero.
void zero_stays(Tracer& tracer, const Call& call) {
  across_last(tracer, call, spatial_axes(call), Uniform::Zero);
}

/// The axis along which constant_pad_nd changes the size and which carries the channels; -1: there is none.
std::int64_t padded_channel_axis(const Channels& read, const std::vector<std::int64_t>& amounts) {
  for (std::size_t i = 0; i < amounts.size(); i += 2) {
    const std::int64_t axis = read.labels.dim() - 1 - static_cast<std::int64_t>(i / 2);
    if (read.labels.size(axis) > 1 && (amounts[i] != 0 || amounts[i + 1] != 0)) return axis;
  }
  return -1;
}

std::vector<std::vector<Label>> singles(const std::vector<Label>& labels) {
  std::vector<std::vector<Label>> positions;
  for (const Label label : labels) positions.push_back({label});
  return positions;
}

/// Channels of one number in front of or behind the others, as in shortcuts without parameters.
Channels pad_channels(Tracer& tracer, const Call& call, const Channels& read, std::int64_t axis, double value) {
  const auto amounts = call.argument("pad").toIntVector();
  const auto first = static_cast<std::size_t>(2 * (read.labels.dim() - 1 - axis));
  std::vector<at::Tensor> labels{read.labels}, dead{read.dead}, values{read.value};
  for (const std::size_t side : {first, first + 1}) {
    if (amounts[side] == 0) continue;
    const auto fresh = tracer.table().fresh(static_cast<std::size_t>(amounts[side]));
    const Channels added = live_channels(read.labels.dim(), axis, fresh);
    const auto at_side = [&](std::vector<at::Tensor>& list, const at::Tensor& part) {
      list.insert(side == first ? list.begin() : list.end(), part);
    };
    at_side(labels, added.labels);
    at_side(dead, added.dead.clone().fill_(true));
    at_side(values, added.value.clone().fill_(value));
    tracer.count(call, "pad", side, singles(fresh));
  }
  return {at::cat(labels, axis), at::cat(dead, axis), at::cat(values, axis)};
}

void constant_pad(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.first();
  const auto read = tracer.channels(input);
  if (!read) return;
  const auto mode = call.argument("mode");
  const bool constant = !mode.isString() || mode.toStringRef() == "constant";
  const auto given = call.argument("value");
  const double value = given.isScalar() ? given.toScalar().toDouble() : 0.0;
  const auto amounts = call.argument("pad").toIntVector();
  const std::int64_t axis = padded_channel_axis(*read, amounts);
  const bool shrinks = std::any_of(amounts.begin(), amounts.end(), [](std::int64_t amount) { return amount < 0; });
  if (axis >= 0 && (!constant || shrinks || channel_axis(*read) != axis)) return tracer.keep(call, input, kAcross);
  Channels made = *read;
  const at::Tensor nan = at::scalar_tensor(NAN, at::kDouble);
  const bool around = static_cast<std::int64_t>(amounts.size()) > (axis >= 0 ? 2 : 0);
  if (constant && around) made.value = at::where(made.value.eq(value), made.value, nan);
  if (axis >= 0) made = pad_channels(tracer, call, made, axis, value);
  tracer.set(call.output(), made, call);
}

}  // namespace

const RuleTable& spatial_rules() {
  static const RuleTable rules = [] {
    RuleTable table;
    for (const char* name : {"max_pool1d",
                             "max_pool2d",
                             "max_pool3d",
                             "max_pool1d_with_indices",
                             "max_pool2d_with_indices",
                             "max_pool3d_with_indices",
                             "adaptive_avg_pool1d",
                             "adaptive_avg_pool2d",
                             "adaptive_avg_pool3d",
                             "adaptive_max_pool1d",
                             "adaptive_max_pool2d",
                             "adaptive_max_pool3d",
                             "upsample_nearest1d",
                             "upsample_nearest2d",
                             "upsample_nearest3d",
                             "_upsample_nearest_exact1d",
                             "_upsample_nearest_exact2d",
                             "_upsample_nearest_exact3d",
                             "upsample_linear1d",
                             "upsample_bilinear2d",
                             "upsample_bicubic2d",
                             "upsample_trilinear3d",
                             "reflection_pad1d",
                             "reflection_pad2d",
                             "reflection_pad3d",
                             "replication_pad1d",
                             "replication_pad2d",
                             "replication_pad3d"})
      table.emplace(name, max_pool);
    for (const char* name : {"avg_pool1d", "avg_pool2d", "avg_pool3d"}) table.emplace(name, average_pool);
    for (const char* name : {"lp_pool1d", "lp_pool2d", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"})
      table.emplace(name, zero_stays);
    table.emplace("constant_pad_nd", constant_pad);
    table.emplace("pad", constant_pad);
    return table;
  }();
  return rules;
}

}  // namespace lathe::compression

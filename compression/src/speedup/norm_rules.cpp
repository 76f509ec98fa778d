// Layers with one set of parameters a channel: norms, PReLU; and dropout, which does nothing in eval mode.
#include <cmath>
#include <stdexcept>

#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>

#include "speedup/rules.hpp"

namespace lathe::compression {
namespace {

constexpr const char* kStatistics =
    "these channels share their mean and variance with others: without them the result would be another one";
constexpr const char* kOtherAxis = "the channels are on another axis than the one that is normalised";

at::Tensor as_doubles(const at::Tensor& parameter, double otherwise, const at::Tensor& like) {
  if (!parameter.defined()) return at::full_like(like, otherwise);
  return parameter.detach().to(at::kCPU, at::kDouble).view(like.sizes());
}

/// Binds the parameters by those names to the channels. False: one of them is no parameter.
bool bind_all(Tracer& tracer, const Call& call, std::initializer_list<const char*> names,
              const std::vector<Label>& labels) {
  for (const char* name : names)
    if (const at::Tensor parameter = call.tensor(name); parameter.defined() && tracer.path(parameter).empty())
      return false;
  for (const char* name : names)
    if (const at::Tensor parameter = call.tensor(name); parameter.defined())
      tracer.bind({tracer.path(parameter), 0}, labels);
  return true;
}

/// A channel whose weight is masked is its bias.
void set_masked(const Tracer& tracer, const Call& call, Channels& made) {
  const at::Tensor weight = call.tensor("weight");
  if (!weight.defined()) return;
  const at::Tensor masked = tracer.masked_slices(weight, 0).view(made.dead.sizes());
  made.dead = made.dead.logical_or(masked);
  made.value = at::where(masked, as_doubles(call.tensor("bias"), 0, made.value), made.value);
}

void refuse_batch_statistics(const Tracer& tracer, const Call& call, const char* flag) {
  if (!call.argument(flag).toBool() || !call.tensor("running_mean").defined()) return;
  throw std::runtime_error(
      fmt::format("{} uses the statistics of the batch even in eval mode: the model was traced while training; trace "
                  "it after model.eval(), or script it",
                  tracer.describe(call)));
}

void batch_norm(Tracer& tracer, const Call& call) {
  refuse_batch_statistics(tracer, call, "training");
  const at::Tensor mean = call.tensor("running_mean");
  if (!tracer.path(mean).empty()) ++tracer.trace().uses[tracer.path(mean)];
  const at::Tensor input = call.tensor("input");
  const auto read = tracer.channels(input);
  if (!read) return;
  if (channel_axis(*read) != 1) return tracer.keep(call, input, kOtherAxis);
  if (!bind_all(tracer, call, {"weight", "bias", "running_mean", "running_var"}, labels_in(read->labels)))
    return tracer.keep(call, input, kFixedPartner);
  note_pass_through(tracer, call.tensor("weight"), call.tensor("bias"), read->dead);
  Channels made = *read;
  if (mean.defined()) {
    const double eps = call.argument("eps").toDouble();
    const auto scale = as_doubles(call.tensor("running_var"), 1, made.value).add(eps).rsqrt();
    made.value = made.value.sub(as_doubles(mean, 0, made.value)).mul(scale);
  } else {
    made.value = at::where(made.value.isnan(), made.value, at::scalar_tensor(0.0, at::kDouble));
  }
  made.value = made.value.mul(as_doubles(call.tensor("weight"), 1, made.value))
                   .add(as_doubles(call.tensor("bias"), 0, made.value));
  set_masked(tracer, call, made);
  tracer.set(call.output(), made, call);
}

/// Each channel of each sample on its own; what it makes of a constant is its bias, but for rounding.
void instance_norm(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const auto read = tracer.channels(input);
  if (!read) return;
  if (channel_axis(*read) != 1) return tracer.keep(call, input, kOtherAxis);
  if (!bind_all(tracer, call, {"weight", "bias", "running_mean", "running_var"}, labels_in(read->labels)))
    return tracer.keep(call, input, kFixedPartner);
  note_pass_through(tracer, call.tensor("weight"), call.tensor("bias"), read->dead);
  Channels made = *read;
  const at::Tensor zero = at::scalar_tensor(0.0, at::kDouble);
  const bool own_statistics = call.argument("use_input_stats").toBool();
  made.value = at::where(made.value.eq(0).logical_and(at::full({}, own_statistics, at::kBool)),
                         as_doubles(call.tensor("bias"), 0, made.value), at::scalar_tensor(NAN, at::kDouble));
  set_masked(tracer, call, made);
  tracer.set(call.output(), made, call);
}

/// Unites the channels of each group and says how many of them are held by their neighbours.
std::vector<std::vector<Label>> unite_groups(Tracer& tracer, const Call& call, const Channels& read,
                                             std::int64_t groups) {
  const auto labels = labels_in(read.labels);
  const auto dead = flags_of(read.dead);
  const std::size_t size = labels.size() / static_cast<std::size_t>(groups);
  std::vector<std::vector<Label>> blocks;
  std::int64_t held = 0;
  for (std::size_t begin = 0; begin < labels.size(); begin += size) {
    blocks.emplace_back(labels.begin() + static_cast<std::ptrdiff_t>(begin),
                        labels.begin() + static_cast<std::ptrdiff_t>(begin + size));
    std::size_t masked = 0;
    for (std::size_t i = begin; i < begin + size; ++i) masked += dead[i] ? 1 : 0;
    if (masked < size) held += static_cast<std::int64_t>(masked);
    tracer.table().unite_all(blocks.back());
  }
  if (held > 0) tracer.trace().held.push_back({tracer.describe(call), held, kStatistics});
  return blocks;
}

/// Groups have statistics of their own: whole groups can go.
void group_norm(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const auto read = tracer.channels(input);
  if (!read) return;
  if (channel_axis(*read) != 1) return tracer.keep(call, input, kOtherAxis);
  if (!bind_all(tracer, call, {"weight", "bias"}, labels_in(read->labels)))
    return tracer.keep(call, input, kFixedPartner);
  const std::int64_t groups = call.argument("num_groups").toInt();
  tracer.count(call, "num_groups", std::nullopt, unite_groups(tracer, call, *read, groups));
  Channels made = *read;
  const auto by_group = [&](const at::Tensor& tensor) { return tensor.reshape({groups, -1}); };
  const at::Tensor values = by_group(made.value);
  const at::Tensor centred = values.sub(values.mean({1}, true));
  const at::Tensor spread = centred.square().mean({1}, true).add(call.argument("eps").toDouble()).rsqrt();
  made.dead = by_group(made.dead).all(1, true).expand_as(values).reshape(made.dead.sizes());
  note_pass_through(tracer, call.tensor("weight"), call.tensor("bias"), made.dead);
  made.value = centred.mul(spread).view(made.value.sizes());
  made.value = made.value.mul(as_doubles(call.tensor("weight"), 1, made.value))
                   .add(as_doubles(call.tensor("bias"), 0, made.value));
  set_masked(tracer, call, made);
  tracer.set(call.output(), made, call);
}

/// Across the channels all of them count; across other axes each channel is on its own.
void layer_norm(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("input");
  const auto read = tracer.channels(input);
  if (!read) return;
  const auto last = input.dim() - static_cast<std::int64_t>(call.argument("normalized_shape").toIntVector().size());
  for (const std::int64_t axis : channel_axes(*read))
    if (axis >= last) return tracer.keep(call, input, kStatistics);
  for (const char* name : {"weight", "bias"})
    if (const at::Tensor parameter = call.tensor(name); parameter.defined()) tracer.keep(call, parameter, kStatistics);
  Channels made = *read;
  made.value = at::full_like(made.value, NAN);
  tracer.set(call.output(), made, call);
}

void prelu(Tracer& tracer, const Call& call) {
  const at::Tensor input = call.tensor("self");
  const at::Tensor weight = call.tensor("weight");
  const auto read = tracer.channels(input);
  if (!read) return;
  Channels made = *read;
  if (weight.numel() > 1) {
    if (channel_axis(made) != 1) return tracer.keep(call, input, kOtherAxis);
    if (!bind_all(tracer, call, {"weight"}, labels_in(made.labels))) return tracer.keep(call, input, kFixedPartner);
  }
  const at::Tensor slope =
      weight.numel() > 1 ? as_doubles(weight, 0, made.value) : weight.detach().to(at::kCPU, at::kDouble).reshape({});
  made.value = at::where(made.value.lt(0), made.value.mul(slope), made.value);
  tracer.set(call.output(), made, call);
}

void dropout(Tracer& tracer, const Call& call) {
  if (call.argument("train").toBool())
    throw std::runtime_error(
        fmt::format("{} drops values even in eval mode: the model was traced while training; trace it after "
                    "model.eval(), or script it",
                    tracer.describe(call)));
  if (const auto read = tracer.channels(call.first())) tracer.set(call.output(), *read, call);
}

}  // namespace

void note_pass_through(Tracer& tracer, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& dead) {
  tracer.trace().pass_through.push_back({tracer.path(weight), tracer.path(bias), flags_of(dead)});
}

const RuleTable& norm_rules() {
  static const RuleTable rules{{"batch_norm", batch_norm},
                               {"instance_norm", instance_norm},
                               {"group_norm", group_norm},
                               {"layer_norm", layer_norm},
                               {"prelu", prelu},
                               {"dropout", dropout},
                               {"feature_dropout", dropout},
                               {"alpha_dropout", dropout},
                               {"feature_alpha_dropout", dropout}};
  return rules;
}

}  // namespace lathe::compression

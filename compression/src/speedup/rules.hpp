// One rule an operator: how it carries channels from its inputs to its outputs, and which of them it can do without.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "speedup/tracer.hpp"

namespace lathe::compression {

using Rule = void (*)(Tracer&, const Call&);
using RuleTable = std::map<std::string_view, Rule>;

/// By name without `aten::` and without the underscore of those that work in place.
[[nodiscard]] const RuleTable& layer_rules();
[[nodiscard]] const RuleTable& norm_rules();
[[nodiscard]] const RuleTable& recurrent_rules();
[[nodiscard]] const RuleTable& pointwise_rules();
[[nodiscard]] const RuleTable& join_rules();
[[nodiscard]] const RuleTable& spatial_rules();
[[nodiscard]] const RuleTable& shape_rules();
[[nodiscard]] const RuleTable& part_rules();
[[nodiscard]] const RuleTable& concat_rules();
[[nodiscard]] const RuleTable& reduce_rules();
[[nodiscard]] const RuleTable& product_rules();

/// Nullptr: the operator is not understood.
[[nodiscard]] Rule find_rule(std::string_view name);

// ---- shared by several rules ----

/// Works on each value alone: every output has the channels of the first input, and constants become what the operator
/// makes of them.
void pointwise(Tracer& tracer, const Call& call);

/// The output has the channels of the tensors that are combined position by position, which become the same.
void elementwise(Tracer& tracer, const Call& call);

/// Every position of the output was one of the first input: the operator is run on their numbers.
void rearrange(Tracer& tracer, const Call& call);

/// Marks what a layer with one set of parameters a channel reads, for extend_masks.
void note_pass_through(Tracer& tracer, const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& dead);

/// Channels that are joined with something that cannot follow.
inline constexpr const char* kFixedPartner = "the operator joins these channels with a tensor of fixed size";

}  // namespace lathe::compression

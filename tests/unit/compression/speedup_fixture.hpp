// What every sped-up model must hold to.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <lathe/compression/speedup.hpp>

namespace lathe::compression::test_models {

/// Speeds the model up and expects: success; the masked model's output to 1e-5, on the example and on another input of
/// its shape; the same after saving and loading; gradients for every parameter that the original has them for, in
/// training mode, where the number of parameters is that of the original's. The original is untouched.
void expect_faithful(const torch::jit::Module& model, const Masks& masks, const at::Tensor& example,
                     SpeedupReport& report, const SpeedupOptions& options = {});

/// Prunes 30 to 50 % of the filters of every layer but those; see random_filter_masks.
[[nodiscard]] Masks some_filters(const torch::jit::Module& model, const std::set<std::string>& excluded,
                                 std::uint64_t seed = 1);

/// What `model` gives in eval mode with its weights masked.
[[nodiscard]] at::Tensor masked_output(const torch::jit::Module& model, const Masks& masks, const at::Tensor& input);

/// Whether some entry says that.
[[nodiscard]] bool is_kept_for(const SpeedupReport& report, const std::string& place, const std::string& reason);

}  // namespace lathe::compression::test_models

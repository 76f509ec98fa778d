// Masks for tests.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <lathe/compression/mask.hpp>
#include <lathe/compression/model.hpp>

namespace lathe::compression::test_models {

/// Masks whole filters: layer name → indices that are pruned, in weight and bias.
[[nodiscard]] Masks filter_masks(const torch::jit::Module& model,
                                 const std::map<std::string, std::vector<std::int64_t>>& pruned);

/// Prunes a seeded random part of the filters of every Conv and Linear layer, at least one left in each, except in
/// `excluded`.
[[nodiscard]] Masks random_filter_masks(const torch::jit::Module& model, const std::set<std::string>& excluded,
                                        std::uint64_t seed);

/// Layer name → weight shape.
[[nodiscard]] std::map<std::string, Shape> weight_shapes(const torch::jit::Module& model);

}  // namespace lathe::compression::test_models

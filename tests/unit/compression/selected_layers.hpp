// What a config_list would select, for tests of what works on it.
#pragma once

#include <string>
#include <vector>

#include <lathe/compression/config_list.hpp>

namespace lathe::compression::test_models {

/// The layers of those names, in definition order, all with that sparsity.
[[nodiscard]] std::vector<SelectedLayer> select_layers(const torch::jit::Module& model,
                                                       const std::vector<std::string>& names, double sparsity);

}  // namespace lathe::compression::test_models

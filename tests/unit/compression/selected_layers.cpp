#include "selected_layers.hpp"

#include <algorithm>

namespace lathe::compression::test_models {

std::vector<SelectedLayer> select_layers(const torch::jit::Module& model, const std::vector<std::string>& names,
                                         double sparsity) {
  std::vector<SelectedLayer> selected;
  for (const Layer& layer : layers_of(model)) {
    if (std::find(names.begin(), names.end(), layer.name) == names.end()) continue;
    selected.push_back({layer, {}});
    selected.back().target.sparsity = sparsity;
  }
  return selected;
}

}  // namespace lathe::compression::test_models

#include <algorithm>

#include <lathe/compression/config_list.hpp>

#include "config/entry_match.hpp"
#include "config/prune_iterations.hpp"

namespace lathe::compression {

Result<Selection> select_layers(const std::vector<ConfigEntry>& entries, const std::vector<Layer>& layers,
                                const std::vector<std::string>& default_types) {
  const auto prune_iterations = common_prune_iterations(entries);
  if (!prune_iterations) return tl::unexpected(prune_iterations.error());
  Selection selection{{}, unmatched_warnings(entries, layers, default_types)};
  for (const Layer& layer : layers) {
    const ConfigEntry* entry = last_match(entries, layer, default_types);
    if (entry == nullptr || entry->exclude || !layer.weight.defined()) continue;
    SparsityTarget target = entry->target;
    if (entry->shares_sparsity) target.pool = static_cast<std::size_t>(entry - entries.data());
    const auto most = entry->max_sparsities.find(layer.name);
    if (most != entry->max_sparsities.end()) target.max_sparsity = most->second;
    target.prune_iterations = *prune_iterations;
    selection.layers.push_back({layer, target});
  }
  if (selection.layers.empty()) return tl::unexpected(nothing_selected(layers, selection.warnings));
  return selection;
}

}  // namespace lathe::compression

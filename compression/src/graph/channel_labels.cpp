#include "graph/channel_labels.hpp"

#include <algorithm>
#include <numeric>

namespace lathe::compression {

std::vector<Label> LabelTable::fresh(std::size_t count) {
  std::vector<Label> labels(count);
  std::iota(labels.begin(), labels.end(), static_cast<Label>(parents_.size()));
  parents_.insert(parents_.end(), labels.begin(), labels.end());
  return labels;
}

Label LabelTable::group(Label label) const {
  while (parents_.at(static_cast<std::size_t>(label)) != label) label = parents_[static_cast<std::size_t>(label)];
  return label;
}

void LabelTable::unite(Label a, Label b) {
  const auto [low, high] = std::minmax({group(a), group(b)});
  parents_[static_cast<std::size_t>(high)] = low;
  // Chains stay short when those who asked point at the answer.
  parents_[static_cast<std::size_t>(a)] = low;
  parents_[static_cast<std::size_t>(b)] = low;
}

void LabelTable::unite(const std::vector<Label>& a, const std::vector<Label>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) unite(a[i], b.at(i));
}

void LabelTable::unite_all(const std::vector<Label>& labels) {
  for (const Label label : labels) unite(labels.front(), label);
}

}  // namespace lathe::compression

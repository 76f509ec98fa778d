// Channel labels: every position along a tensor's channel axis carries one, and positions that must stay or go together
// carry the same. Union-find over integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lathe::compression {

using Label = std::int64_t;

class LabelTable {
 public:
  /// `count` new labels, each alone in its group.
  [[nodiscard]] std::vector<Label> fresh(std::size_t count);

  /// The two groups become one.
  void unite(Label a, Label b);

  /// Position by position; both have the same size.
  void unite(const std::vector<Label>& a, const std::vector<Label>& b);

  /// All of them become one group.
  void unite_all(const std::vector<Label>& labels);

  /// The one label that stands for the whole group: the lowest in it.
  [[nodiscard]] Label group(Label label) const;

  /// All labels there are: 0 … size() - 1.
  [[nodiscard]] std::size_t size() const { return parents_.size(); }

 private:
  std::vector<Label> parents_;
};

}  // namespace lathe::compression

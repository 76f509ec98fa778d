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

  /// The one label that stands for the whole group.
  [[nodiscard]] Label group(Label label) const;

 private:
  std::vector<Label> parents_;
};

/// What is known about the channels of one tensor.
struct Channels {
  std::int64_t axis = 1;      ///< the axis that the labels count
  std::vector<Label> labels;  ///< one a position on that axis; a label may repeat (a flattened C x H x W)
  std::vector<char> dead;     ///< 1: all values at that position are the same for any input of the model
};

}  // namespace lathe::compression

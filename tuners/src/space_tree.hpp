// The search space flattened: every parameter at every depth is a node, parents before their children. A configuration
// is a walk of this tree, kept as a Point.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lathe/proto/search_space.hpp>

#include "axis.hpp"
#include "random.hpp"

namespace lathe::tuners {

/// The internal value of every node; kAbsent where the node is inactive or its value unknown.
using Point = std::vector<double>;

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();
[[nodiscard]] inline bool is_present(double internal) {
  return internal == internal;
}

class SpaceTree {
 public:
  static constexpr std::size_t kNoParent = static_cast<std::size_t>(-1);

  struct Node {
    std::string name;
    Axis axis;
    std::size_t parent = kNoParent;                  ///< the choice that owns this node
    std::size_t option = 0;                          ///< the option of `parent` under which the node is active
    std::vector<std::vector<std::size_t>> children;  ///< of a choice: the nodes of each option's sub-space
  };

  explicit SpaceTree(const proto::SearchSpace& space);

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  /// The node takes part in the walk; its parent's value must be set already.
  [[nodiscard]] bool is_active(std::size_t node, const Point& point) const;

  /// Walks the tree: calls draw(node) for every active node in turn and keeps what it returns.
  template <class Draw>
  [[nodiscard]] Point walk(Draw&& draw) const;

  /// A draw from the prior.
  [[nodiscard]] Point sample(RandomStream& random) const;

  /// The point with stepped values at their rounded places.
  [[nodiscard]] Point canonical(Point point) const;

  /// What the trial receives.
  [[nodiscard]] nlohmann::ordered_json parameters(const Point& point) const;

  /// Reads parameters back, one by one: what is missing or does not fit becomes kAbsent, and so does all below it.
  [[nodiscard]] Point read(const nlohmann::ordered_json& parameters) const;

  /// Every parameter takes finitely many values.
  [[nodiscard]] bool is_finite() const;

  /// Finite spaces only: the grid point that follows in lexicographic order; the first one after the last.
  [[nodiscard]] Point successor(const Point& point) const;

 private:
  std::vector<std::size_t> add(const std::vector<proto::Parameter>& parameters, std::size_t parent, std::size_t option);
  [[nodiscard]] nlohmann::ordered_json value(std::size_t node, const Point& point) const;
  void read_into(Point& point, const std::vector<std::size_t>& nodes, const nlohmann::ordered_json& parameters) const;

  std::vector<Node> nodes_;
  std::vector<std::size_t> roots_;
};

template <class Draw>
Point SpaceTree::walk(Draw&& draw) const {
  Point point(nodes_.size(), kAbsent);
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (is_active(node, point)) point[node] = draw(node);
  }
  return point;
}

}  // namespace lathe::tuners

#include "space_tree.hpp"

#include <algorithm>
#include <variant>

namespace lathe::tuners {

using nlohmann::ordered_json;

SpaceTree::SpaceTree(const proto::SearchSpace& space) {
  roots_ = add(space.parameters, kNoParent, 0);
}

std::vector<std::size_t> SpaceTree::add(const std::vector<proto::Parameter>& parameters, std::size_t parent,
                                        std::size_t option) {
  std::vector<std::size_t> added;
  for (const proto::Parameter& parameter : parameters) {
    const std::size_t node = nodes_.size();
    added.push_back(node);
    nodes_.push_back({parameter.name, Axis(parameter.distribution), parent, option, {}});
    const auto* choice = std::get_if<proto::Choice>(&parameter.distribution);
    if (choice == nullptr) continue;
    std::vector<std::vector<std::size_t>> children;
    for (std::size_t i = 0; i < choice->options.size(); ++i) {
      children.push_back(add(choice->options[i].parameters, node, i));
    }
    nodes_[node].children = std::move(children);
  }
  return added;
}

bool SpaceTree::is_active(std::size_t node, const Point& point) const {
  const std::size_t parent = nodes_[node].parent;
  return parent == kNoParent || point[parent] == static_cast<double>(nodes_[node].option);
}

Point SpaceTree::sample(RandomStream& random) const {
  return walk([&](std::size_t node) { return nodes_[node].axis.sample(random); });
}

Point SpaceTree::canonical(Point point) const {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (is_present(point[node])) point[node] = nodes_[node].axis.canonical(point[node]);
  }
  return point;
}

ordered_json SpaceTree::parameters(const Point& point) const {
  ordered_json result = ordered_json::object();
  for (const std::size_t node : roots_) result[nodes_[node].name] = value(node, point);
  return result;
}

ordered_json SpaceTree::value(std::size_t node, const Point& point) const {
  ordered_json result = nodes_[node].axis.value(point[node]);
  if (nodes_[node].children.empty()) return result;
  for (const std::size_t child : nodes_[node].children[static_cast<std::size_t>(point[node])]) {
    result[nodes_[child].name] = value(child, point);
  }
  return result;
}

Point SpaceTree::read(const ordered_json& parameters) const {
  Point point(nodes_.size(), kAbsent);
  read_into(point, roots_, parameters);
  return point;
}

void SpaceTree::read_into(Point& point, const std::vector<std::size_t>& nodes, const ordered_json& parameters) const {
  if (!parameters.is_object()) return;
  for (const std::size_t node : nodes) {
    const auto found = parameters.find(nodes_[node].name);
    if (found == parameters.end()) continue;
    const std::optional<double> internal = nodes_[node].axis.read(*found);
    if (!internal) continue;
    point[node] = *internal;
    if (!nodes_[node].children.empty()) {
      read_into(point, nodes_[node].children[static_cast<std::size_t>(*internal)], *found);
    }
  }
}

bool SpaceTree::is_finite() const {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.axis.grid_size().has_value(); });
}

Point SpaceTree::successor(const Point& point) const {
  // An odometer: the last active node that can move moves on, all behind it start again. None can: all start again.
  std::size_t moving = nodes_.size();
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (!is_present(point[node])) continue;
    const Axis& axis = nodes_[node].axis;
    if (axis.grid_index(point[node]) + 1 < *axis.grid_size()) moving = node;
  }
  const bool wraps = moving == nodes_.size();
  return walk([&](std::size_t node) {
    const Axis& axis = nodes_[node].axis;
    if (wraps || node > moving) return axis.grid_point(0);
    return axis.grid_point(axis.grid_index(point[node]) + (node == moving ? 1 : 0));
  });
}

}  // namespace lathe::tuners

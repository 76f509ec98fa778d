// The points that no other point beats.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace lathe::manager {

/// Objectives of a point, all to be minimised; of two objectives the third is 0 everywhere. Finite.
using ObjectivePoint = std::array<double, 3>;

/// Indices of the points that no other dominates (is as small in all and smaller in one), sorted by first, second,
/// third objective, then index; equal points are all in or all out. O(n log n): points are swept in lexicographic order
/// over the staircase of the second and third objective (Kung, Luccio and Preparata, "On finding the maxima of a set of
/// vectors", 1975).
[[nodiscard]] std::vector<std::size_t> pareto_front(const std::vector<ObjectivePoint>& points);

}  // namespace lathe::manager

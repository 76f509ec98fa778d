// No configuration of a finite space is tried twice: NNI's rule, extended to nested spaces. A repeated sample is
// replaced by the next unused grid point, counted on from the sample itself.
#pragma once

#include <optional>
#include <vector>

#include "history.hpp"
#include "space_tree.hpp"

namespace lathe::tuners {

/// The first proposal that no trial has had, else the first unused grid point that follows the first proposal; nullopt
/// when every grid point is used. Takes at most one step per trial. `proposals` holds at least one; the tree is finite.
[[nodiscard]] std::optional<Point> first_unseen(const std::vector<Point>& proposals, const SpaceTree& tree,
                                                const History& history);

}  // namespace lathe::tuners

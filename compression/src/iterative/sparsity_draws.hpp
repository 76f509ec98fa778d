// Random sparsities of layers that together make a given overall sparsity.
#pragma once

#include <cstdint>
#include <vector>

#include "iterative/random.hpp"

namespace lathe::compression {

class SparsityDraws {
 public:
  /// `sizes` ascending; 0 <= target < 1.
  SparsityDraws(std::vector<std::int64_t> sizes, double target, std::uint64_t seed)
      : sizes_(std::move(sizes)), target_(target), random_(seed) {}

  /// Uniform in [0, 1), sorted and rescaled: the larger a layer, the sparser.
  [[nodiscard]] std::vector<double> initial();
  /// Each changed by up to `magnitude`, then sorted and rescaled again.
  [[nodiscard]] std::vector<double> perturbed(const std::vector<double>& sparsities, double magnitude);
  /// 0 <= x < 1, for the decision whether to accept.
  [[nodiscard]] double chance() { return random_.uniform(0, 1); }

 private:
  /// Draws until rescaling leaves every layer below 1. High targets leave next to no such draws, so after some the last
  /// one is cut at 1, and what is missing is shared out among the others.
  template <class Draw>
  [[nodiscard]] std::vector<double> first_valid(const Draw& draw);
  [[nodiscard]] std::vector<double> shared_out(std::vector<double> sparsities) const;

  std::vector<std::int64_t> sizes_;
  double target_;
  Random random_;
};

}  // namespace lathe::compression

#include "pruning/allocation.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/Dispatch.h>
#include <ATen/ops/ones.h>

#include <lathe/compression/pruner.hpp>

#include "pruning/magnitude_key.hpp"

namespace lathe::compression {
namespace {

/// Finds the threshold by halving: bits of numbers that are not negative order them, so 31 or 63 counts will do, and
/// nothing has to be sorted or copied.
template <class T>
class Pool {
 public:
  using Key = MagnitudeKey<T>;

  explicit Pool(const std::vector<PoolMember>& members) : members_(members) {}

  std::vector<std::int64_t> share_out(std::int64_t weights) const {
    Key low = kNothing;
    Key high = std::numeric_limits<Key>::max();
    while (low < high) {
      const Key middle = std::midpoint(low, high);  // rounds towards low, and high - low may not fit
      if (weights_up_to(middle) >= weights) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return fill_up(low, weights);
  }

 private:
  /// Stands for the metric of what is pruned already.
  static constexpr Key kNothing = -1;

  static Key key(T metric) { return metric < 0 ? kNothing : std::bit_cast<Key>(metric); }

  static std::int64_t count_up_to(const PoolMember& member, Key threshold) {
    const T* metric = member.metric.data_ptr<T>();
    return std::count_if(metric, metric + member.metric.numel(), [&](T each) { return key(each) <= threshold; });
  }

  [[nodiscard]] std::int64_t weights_up_to(Key threshold) const {
    std::int64_t weights = 0;
    for (const PoolMember& member : members_)
      weights += std::min(count_up_to(member, threshold), member.most) * member.weights_per_unit;
    return weights;
  }

  /// All below the threshold go, and of those at it as many as are needed.
  [[nodiscard]] std::vector<std::int64_t> fill_up(Key threshold, std::int64_t weights) const {
    std::vector<std::int64_t> counts;
    if (threshold > kNothing) weights -= weights_up_to(threshold - 1);
    for (const PoolMember& member : members_) {
      const std::int64_t already = count_up_to(member, kNothing);
      const std::int64_t most = std::max(member.most, already);
      const std::int64_t below = threshold > kNothing ? std::min(count_up_to(member, threshold - 1), most) : 0;
      const std::int64_t wanted =
          (std::max<std::int64_t>(weights, 0) + member.weights_per_unit - 1) / member.weights_per_unit;
      const std::int64_t at =
          std::clamp<std::int64_t>(std::min(count_up_to(member, threshold), most) - below, 0, wanted);
      weights -= at * member.weights_per_unit;
      counts.push_back(std::max(below + at, already));
    }
    return counts;
  }

  const std::vector<PoolMember>& members_;
};

/// How many filters each layer may still lose.
class Allowance {
 public:
  Allowance(const ChannelSet& set, std::vector<std::int64_t> most) : set_(set), left_(std::move(most)) {}

  /// Takes the channel's filters from every layer, or from none when one of them has too few left.
  bool take(std::int64_t channel) {
    std::vector<std::int64_t> left = left_;
    for (std::size_t member = 0; member < set_.layers.size(); ++member) {
      const auto& channels = set_.channels[member];
      left[member] -= std::count(channels.begin(), channels.end(), channel);
      if (left[member] < 0) return false;
    }
    left_ = std::move(left);
    return true;
  }

 private:
  const ChannelSet& set_;
  std::vector<std::int64_t> left_;
};

}  // namespace

std::vector<std::int64_t> share_out(const std::vector<PoolMember>& pool, std::int64_t weights) {
  const bool all_float = std::all_of(
      pool.begin(), pool.end(), [](const PoolMember& member) { return member.metric.scalar_type() == at::kFloat; });
  if (all_float) return Pool<float>(pool).share_out(weights);
  std::vector<PoolMember> doubles = pool;
  for (PoolMember& member : doubles) member.metric = member.metric.to(at::kDouble);
  return Pool<double>(doubles).share_out(weights);
}

std::vector<double> summed_metrics(const ChannelSet& set, const std::vector<at::Tensor>& metrics) {
  std::vector<double> sums(static_cast<std::size_t>(set.size), 0.0);
  for (std::size_t member = 0; member < set.layers.size(); ++member) {
    const at::Tensor metric = metrics[member].to(at::kDouble).contiguous();
    for (std::size_t filter = 0; filter < set.channels[member].size(); ++filter) {
      double& sum = sums[static_cast<std::size_t>(set.channels[member][filter])];
      const double each = metric.data_ptr<double>()[filter];
      sum = each < 0 || sum < 0 ? kPrunedUnit : sum + each;
    }
  }
  return sums;
}

at::Tensor common_channels(const ChannelSet& set, const std::vector<double>& importance, const ChannelShare& share) {
  Allowance allowance(set, share.most);
  at::Tensor kept = at::ones({set.size}, at::kDouble);
  const std::int64_t part = set.size / set.groups;
  // Parts of which each keeps a multiple of this keep a multiple of round_to together.
  const std::int64_t multiple = share.round_to / std::gcd(share.round_to, set.groups);
  for (std::int64_t begin = 0; begin < set.size; begin += part) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(part));
    std::iota(order.begin(), order.end(), begin);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return importance[static_cast<std::size_t>(a)] < importance[static_cast<std::size_t>(b)];
    });
    std::int64_t wanted = rounded_count(part, pruned_count(part, share.sparsity), multiple);
    for (const std::int64_t channel : order) {
      const bool already = importance[static_cast<std::size_t>(channel)] < 0;
      if (!already && wanted <= 0) break;
      if (!allowance.take(channel) && !already) continue;
      kept.data_ptr<double>()[channel] = 0;
      --wanted;
    }
  }
  return kept;
}

}  // namespace lathe::compression

#include "pruning/selection.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/Dispatch.h>
#include <ATen/ops/empty_like.h>

#include "pruning/magnitude_key.hpp"
#include "vectorised.hpp"

namespace lathe::compression {
namespace {

/// Up to here a copy is selected from directly.
constexpr std::int64_t kSmall = 4096;
/// Standard deviations of a sample's quantile between which the wanted value is expected.
constexpr double kDeviations = 3.5;

/// Below every magnitude: what is pruned already goes first.
constexpr int kPrunedAlready = -1;

/// Keys of an array of numbers, read in passing.
template <class T>
class Magnitudes {
 public:
  using Key = MagnitudeKey<T>;
  explicit Magnitudes(const T* values) : values_(values) {}
  Key operator[](std::int64_t i) const { return std::bit_cast<Key>(values_[i]) & kMagnitudeBits<T>; }

 private:
  const T* values_;
};

/// The same, where a mask of zeros and ones is in force already.
template <class T>
class MaskedMagnitudes {
 public:
  using Key = MagnitudeKey<T>;
  MaskedMagnitudes(const T* values, const T* mask) : values_(values), mask_(mask) {}
  Key operator[](std::int64_t i) const { return mask_[i] == 0 ? Key{kPrunedAlready} : values_[i]; }

 private:
  Magnitudes<T> values_;
  const T* mask_;
};

/// Keys that were copied out.
template <class K>
class PlainKeys {
 public:
  using Key = K;
  explicit PlainKeys(const Key* keys) : keys_(keys) {}
  Key operator[](std::int64_t i) const { return keys_[i]; }

 private:
  const Key* keys_;
};

/// Where the smallest end: what is below `key` goes, and the first `ties` of the `equal` that are equal to it.
template <class Key>
struct Cut {
  Key key = kPrunedAlready;
  std::int64_t ties = 0;
  std::int64_t equal = 0;
};

/// Copies what lies in [low, high] behind each other and counts what lies below.
template <class Key>
struct Window {
  Key low;
  Key high;
  std::int64_t below = 0;
  std::vector<Key> inside;
};

template <class Keys, class Key = typename Keys::Key>
LATHE_VECTORISED void look_through(const Keys& keys, std::int64_t size, Window<Key>& window) {
  constexpr std::int64_t block = 64;
  std::int64_t found = 0;
  const auto take = [&](Key key) {
    window.inside[static_cast<std::size_t>(found)] = key;
    found += (key >= window.low) & (key <= window.high);
  };
  std::int64_t i = 0;
  for (; i + block <= size; i += block) {
    Key below = 0;
    Key not_above = 0;
    for (std::int64_t j = 0; j < block; ++j) {
      below += keys[i + j] < window.low;
      not_above += keys[i + j] <= window.high;
    }
    window.below += below;
    if (below == not_above) continue;
    if (found + block > static_cast<std::int64_t>(window.inside.size())) window.inside.resize(2 * found + 2 * block);
    for (std::int64_t j = 0; j < block; ++j) take(keys[i + j]);
  }
  window.inside.resize(found + block);
  for (; i < size; ++i) {
    take(keys[i]);
    window.below += keys[i] < window.low;
  }
  window.inside.resize(static_cast<std::size_t>(found));
}

/// The cut of keys that may be reordered.
template <class Key>
Cut<Key> cut_in_place(std::vector<Key>& keys, std::int64_t count) {
  const auto wanted = keys.begin() + (count - 1);
  std::nth_element(keys.begin(), wanted, keys.end());
  Cut<Key> cut{*wanted};
  const auto below = std::count_if(keys.begin(), wanted, [&](Key key) { return key < cut.key; });
  cut.ties = count - below;
  cut.equal = std::count(keys.begin(), keys.end(), cut.key);
  return cut;
}

template <class Keys, class Key = typename Keys::Key>
Cut<Key> cut_of_copy(const Keys& keys, std::int64_t size, std::int64_t count) {
  std::vector<Key> copy(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) copy[static_cast<std::size_t>(i)] = keys[i];
  return cut_in_place(copy, count);
}

/// Mixes bits (splitmix64), so that a sample does not fall into step with a kernel's places.
std::uint64_t scatter(std::uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9;
  return i ^ (i >> 27);
}

/// Two keys of a sample of n^(2/3) that most likely have the wanted one between them.
template <class Keys, class Key = typename Keys::Key>
Window<Key> likely_window(const Keys& keys, std::int64_t size, std::int64_t count) {
  const auto root = static_cast<std::int64_t>(std::cbrt(static_cast<double>(size)));
  const std::int64_t drawn = root * root;
  const std::int64_t stride = size / drawn;
  std::vector<Key> sample(static_cast<std::size_t>(drawn));
  for (std::int64_t i = 0; i < drawn; ++i) {
    const auto within = static_cast<std::int64_t>(scatter(static_cast<std::uint64_t>(i)) % stride);
    sample[static_cast<std::size_t>(i)] = keys[i * stride + within];
  }
  const double share = static_cast<double>(count) / static_cast<double>(size);
  const double rank = share * static_cast<double>(drawn);
  const double spread = kDeviations * std::sqrt(rank * (1 - share)) + 2;
  Window<Key> window{kPrunedAlready, std::numeric_limits<Key>::max(), 0, {}};
  const auto low = static_cast<std::int64_t>(rank - spread);
  const auto high = static_cast<std::int64_t>(rank + spread);
  if (high < drawn) {
    std::nth_element(sample.begin(), sample.begin() + high, sample.end());
    window.high = sample[static_cast<std::size_t>(high)];
  }
  if (low >= 0 && rank > spread) {
    std::nth_element(sample.begin(), sample.begin() + low, sample.begin() + std::min(high, drawn - 1) + 1);
    window.low = sample[static_cast<std::size_t>(low)];
  }
  return window;
}

/// 1 <= count <= size. One pass over the keys (Floyd and Rivest's idea: a sample tells between which two to look).
template <class Keys, class Key = typename Keys::Key>
Cut<Key> find_cut(const Keys& keys, std::int64_t size, std::int64_t count) {
  if (size <= kSmall) return cut_of_copy(keys, size, count);
  Window<Key> window = likely_window(keys, size, count);
  look_through(keys, size, window);
  const auto inside = static_cast<std::int64_t>(window.inside.size());
  const bool holds_it = window.below < count && count <= window.below + inside;
  if (!holds_it) return cut_of_copy(keys, size, count);
  if (window.low == window.high) return {window.low, count - window.below, inside};
  if (inside > size / 2) return cut_in_place(window.inside, count - window.below);
  return find_cut(PlainKeys<Key>(window.inside.data()), inside, count - window.below);
}

template <class Keys, class T, class Key = typename Keys::Key>
LATHE_VECTORISED void write_mask(const Keys& keys, std::int64_t size, const Cut<Key>& cut, T* mask) {
  for (std::int64_t i = 0; i < size; ++i) mask[i] = keys[i] > cut.key ? T{1} : T{0};
  if (cut.key == kPrunedAlready) return;
  std::int64_t back = cut.equal - cut.ties;  // the last of the equals stay
  for (std::int64_t last = size - 1; back > 0; --last) {
    if (keys[last] != cut.key) continue;
    mask[last] = T{1};
    --back;
  }
}

template <class Keys, class T>
void keep_largest(const Keys& keys, std::int64_t size, std::int64_t count, T* mask) {
  const std::int64_t pruned = std::min(count, size);
  write_mask(keys, size, pruned > 0 ? find_cut(keys, size, pruned) : Cut<typename Keys::Key>{}, mask);
}

}  // namespace

at::Tensor keep_largest_in_rows(const at::Tensor& values, std::int64_t count, const at::Tensor& current) {
  at::Tensor mask = at::empty_like(values);
  const std::int64_t size = values.size(1);
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "keep_largest", [&] {
    for (std::int64_t row = 0; row < values.size(0); ++row) {
      const auto* numbers = values.data_ptr<scalar_t>() + row * size;
      auto* kept = mask.data_ptr<scalar_t>() + row * size;
      if (!current.defined()) {
        keep_largest(Magnitudes<scalar_t>(numbers), size, count, kept);
      } else {
        const auto* pruned = current.data_ptr<scalar_t>() + row * size;
        keep_largest(MaskedMagnitudes<scalar_t>(numbers, pruned), size, count, kept);
      }
    }
  });
  return mask;
}

at::Tensor keep_largest(const at::Tensor& values, std::int64_t count, const at::Tensor& current) {
  const at::Tensor row = current.defined() ? current.reshape({1, -1}).contiguous() : current;
  return keep_largest_in_rows(values.view({1, -1}), count, row).view(values.sizes());
}

}  // namespace lathe::compression

// The batches of one pass over a data set, prepared ahead by a thread of their own where that is wanted.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <lathe/compression/dataset.hpp>
#include <lathe/compression/result.hpp>

namespace lathe::compression {

struct BatchOptions {
  std::int64_t batch_size = 1;
  /// A batch of one record is joined to the one before it, since batch normalisation cannot train on one.
  bool joins_single = false;
  std::optional<AugmentationDraw> draw;
  /// Batches prepared ahead; 0: each when it is asked for, without a thread. None: 2 where the data take work.
  std::optional<std::int64_t> ahead;
};

/// Gives the same batches in the same order whether or not they are prepared ahead. One thread asks for them. The
/// thread of its own, if there is one, ends with the object, however many batches were taken.
class Batches {
 public:
  /// The records of `data`, which outlives this object, in this order.
  Batches(const Dataset& data, std::vector<std::int64_t> order, const BatchOptions& options);
  ~Batches();
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(ends_.size()); }
  /// Nullopt: there are no more. An error comes in the place of its batch, and is the last.
  [[nodiscard]] std::optional<Result<Batch>> next();

 private:
  [[nodiscard]] Result<Batch> make(std::size_t batch) const;
  void prepare();
  /// False: nobody wants it.
  bool put(Result<Batch> batch);

  const Dataset& data_;
  std::vector<std::int64_t> order_;
  std::vector<std::int64_t> ends_;  ///< of each batch in order_
  std::optional<AugmentationDraw> draw_;
  std::size_t ahead_ = 0;
  std::size_t taken_ = 0;

  std::mutex mutex_;  ///< of the next three
  std::condition_variable changed_;
  std::deque<Result<Batch>> ready_;
  bool is_abandoned_ = false;
  std::thread worker_;
};

}  // namespace lathe::compression

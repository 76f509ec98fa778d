#include "training/batches.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace lathe::compression {
namespace {

constexpr std::int64_t kAheadWhereItPays = 2;

std::vector<std::int64_t> ends_of(std::int64_t records, const BatchOptions& options) {
  std::vector<std::int64_t> ends;
  for (std::int64_t end = 0; end < records;) {
    const std::int64_t left = records - end;
    const bool is_last = left <= options.batch_size || (options.joins_single && left == options.batch_size + 1);
    end = is_last ? records : end + options.batch_size;
    ends.push_back(end);
  }
  return ends;
}

}  // namespace

Batches::Batches(const Dataset& data, std::vector<std::int64_t> order, const BatchOptions& options)
    : data_(data),
      order_(std::move(order)),
      ends_(ends_of(static_cast<std::int64_t>(order_.size()), options)),
      draw_(options.draw) {
  ahead_ = static_cast<std::size_t>(options.ahead.value_or(data.takes_work() ? kAheadWhereItPays : 0));
  if (ahead_ > 0 && ends_.size() > 1) worker_ = std::thread([this] { prepare(); });
}

Batches::~Batches() {
  if (!worker_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_abandoned_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

std::optional<Result<Batch>> Batches::next() {
  if (taken_ == ends_.size()) return std::nullopt;
  const std::size_t batch = taken_++;
  if (!worker_.joinable()) {
    auto made = make(batch);
    if (!made) taken_ = ends_.size();
    return made;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty(); });
  Result<Batch> made = std::move(ready_.front());
  ready_.pop_front();
  if (!made) taken_ = ends_.size();
  lock.unlock();
  changed_.notify_all();
  return made;
}

Result<Batch> Batches::make(std::size_t batch) const {
  const std::int64_t begin = batch == 0 ? 0 : ends_[batch - 1];
  try {
    return data_.read({order_.data() + begin, static_cast<std::size_t>(ends_[batch] - begin)}, draw_);
  } catch (const std::exception& thrown) {
    return fail(thrown.what());
  }
}

void Batches::prepare() {
  for (std::size_t batch = 0; batch < ends_.size(); ++batch) {
    auto made = make(batch);
    const bool is_good = made.has_value();
    if (!put(std::move(made)) || !is_good) return;
  }
}

bool Batches::put(Result<Batch> batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_abandoned_ || ready_.size() < ahead_; });
  if (is_abandoned_) return false;
  ready_.push_back(std::move(batch));
  lock.unlock();
  changed_.notify_all();
  return true;
}

}  // namespace lathe::compression

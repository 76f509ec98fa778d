// Mutual exclusion among coroutines of one loop: what comes second waits without blocking the thread.
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {

class AsyncMutex {
 public:
  explicit AsyncMutex(const boost::asio::any_io_executor& executor)
      : freed_(executor, boost::asio::steady_timer::time_point::max()) {}

  /// Lets go when it dies.
  class Guard {
   public:
    explicit Guard(AsyncMutex& mutex) : mutex_(&mutex) {}
    ~Guard() {
      if (mutex_ != nullptr) mutex_->unlock();
    }
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&&) = delete;

   private:
    AsyncMutex* mutex_;
  };

  [[nodiscard]] boost::asio::awaitable<Guard> lock() {
    boost::system::error_code ignored;
    while (held_) co_await freed_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    held_ = true;
    co_return Guard(*this);
  }

 private:
  void unlock() {
    held_ = false;
    freed_.cancel_one();
  }

  bool held_ = false;
  boost::asio::steady_timer freed_;
};

}  // namespace lathe::manager

// Lets a coroutine sleep until somebody has news for it. Loop thread only.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {

class Waker {
 public:
  explicit Waker(boost::asio::any_io_executor loop) : timer_(loop) {}

  void wake() {
    has_news_ = true;
    timer_.cancel();
  }

  /// True: woken, now or since the last sleep; false: nothing came for so long.
  boost::asio::awaitable<bool> sleep(std::chrono::milliseconds limit) {
    if (!has_news_) {
      timer_.expires_after(limit);
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    const bool was_woken = has_news_;
    has_news_ = false;
    co_return was_woken;
  }

 private:
  boost::asio::steady_timer timer_;
  bool has_news_ = false;
};

}  // namespace lathe::manager

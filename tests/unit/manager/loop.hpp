// Drives an event loop from a test, with a deadline instead of a hang.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace lathe::manager {

class Loop {
 public:
  boost::asio::io_context context{1};

  /// Runs the loop until the coroutine is done; its result.
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::future<T> result = boost::asio::co_spawn(context, std::move(work), boost::asio::use_future);
    if (!until([&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; })) {
      throw std::runtime_error("the call does not return");
    }
    return result.get();
  }

  /// Runs the loop until the condition holds; false after 20 seconds.
  bool until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      context.restart();
      context.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
};

}  // namespace lathe::manager

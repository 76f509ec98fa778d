// Blocking work on a thread pool, awaited from the loop.
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {

/// Runs `work` on the pool and resumes the caller on its own executor with the result, or with the exception it threw.
template <class Work>
[[nodiscard]] boost::asio::awaitable<std::invoke_result_t<Work&>> on_pool(boost::asio::thread_pool& pool, Work work) {
  using Result = std::invoke_result_t<Work&>;
  auto body = [work = std::move(work)]() mutable -> boost::asio::awaitable<Result> { co_return work(); };
  co_return co_await boost::asio::co_spawn(pool.get_executor(), std::move(body), boost::asio::use_awaitable);
}

}  // namespace lathe::manager

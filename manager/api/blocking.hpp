// Work that blocks (files, parsing of large texts), kept off the loop.
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lathe::manager {

/// Runs `work` on the pool and comes back to the caller's executor with its result (default-constructible) or
/// exception.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> run_blocking(boost::asio::any_io_executor pool, Work work) {
  using Value = std::invoke_result_t<Work>;
  auto job = [work = std::move(work)]() mutable -> boost::asio::awaitable<Value> { co_return work(); };
  // A strand of its own, since a cancellation from the loop may reach the job while a thread of the pool runs it.
  co_return co_await boost::asio::co_spawn(boost::asio::make_strand(pool), std::move(job), boost::asio::use_awaitable);
}

}  // namespace lathe::manager

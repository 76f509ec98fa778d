// The database as the event loop sees it: jobs go out, results come back by co_await. See write_queue.hpp for commits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <lathe/proto/result.hpp>

#include "storage/error.hpp"
#include "storage/on_pool.hpp"
#include "storage/read_pool.hpp"
#include "storage/write_queue.hpp"

namespace lathe::manager {

class Database {
 public:
  /// Opens, migrates and checks the file. Blocking. `max_pages`: see ManagerOptions::max_database_pages.
  [[nodiscard]] static proto::Result<std::unique_ptr<Database>> open(const std::filesystem::path& file,
                                                                     boost::asio::thread_pool& pool,
                                                                     std::optional<std::int64_t> max_pages = {});

  /// Runs the job in the next commit; resumes on the caller's executor when it is on disk, or was refused.
  [[nodiscard]] boost::asio::awaitable<StorageResult<void>> write(WriteQueue::Job job);

  /// Runs `query` with a reading connection on the pool. `query` owns what it needs; it returns StorageResult<T>.
  template <class Query>
  [[nodiscard]] auto read(Query query) -> boost::asio::awaitable<std::invoke_result_t<Query&, Connection&>> {
    auto job = [this, query = std::move(query)]() mutable { return read_now(query); };
    co_return co_await on_pool(pool_, std::move(job));
  }

  [[nodiscard]] std::uint64_t commits() const { return writer_.commits(); }

 private:
  Database(std::unique_ptr<Connection> connection, const std::filesystem::path& file, boost::asio::thread_pool& pool)
      : pool_(pool), readers_(file), writer_(std::move(connection)) {}

  template <class Query>
  auto read_now(Query& query) -> std::invoke_result_t<Query&, Connection&> {
    try {
      ReadPool::Lease connection = readers_.borrow();
      return query(*connection);
    } catch (...) {
      return tl::unexpected(current_storage_error());
    }
  }

  boost::asio::thread_pool& pool_;
  ReadPool readers_;
  WriteQueue writer_;
};

}  // namespace lathe::manager

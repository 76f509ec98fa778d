#include "storage/database.hpp"

#include <string>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/schema.hpp"

namespace lathe::manager {

namespace asio = boost::asio;

proto::Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, asio::thread_pool& pool,
                                                        std::optional<std::int64_t> max_pages) {
  try {
    auto connection = std::make_unique<Connection>(file, Access::ReadWrite);
    if (auto migrated = migrate(*connection); !migrated) {
      return proto::fail(file.string() + ": " + migrated.error().message);
    }
    if (max_pages) connection->execute("PRAGMA max_page_count = " + std::to_string(*max_pages));
    return std::unique_ptr<Database>(new Database(std::move(connection), file, pool));
  } catch (const SqliteError& error) {
    return proto::fail(file.string() + ": " + error.what());
  }
}

asio::awaitable<StorageResult<void>> Database::write(WriteQueue::Job job) {
  auto start = [this](auto handler, WriteQueue::Job queued) {
    auto executor = asio::get_associated_executor(handler);
    // std::function wants to copy, a completion handler does not: hence the shared pointer.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto done = [shared, executor, work = asio::make_work_guard(executor)](StorageResult<void> result) mutable {
      asio::post(executor,
                 [shared = std::move(shared), result = std::move(result)]() mutable { (*shared)(std::move(result)); });
    };
    writer_.push(std::move(queued), std::move(done));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(StorageResult<void>)>(
      std::move(start), asio::use_awaitable, std::move(job));
}

}  // namespace lathe::manager

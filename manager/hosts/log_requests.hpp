// Questions to agents for the text of logs that wait for their answers. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <lathe/proto/frames.hpp>

namespace lathe::manager {

class LogRequests {
 public:
  explicit LogRequests(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  /// A number for ReadLog::request.
  [[nodiscard]] std::uint64_t next() { return ++last_; }

  /// The answer; none: the host has gone or said nothing in time. Who waits may be cancelled.
  [[nodiscard]] boost::asio::awaitable<std::optional<proto::LogText>> answer_to(std::uint64_t request, std::string host,
                                                                                std::chrono::milliseconds limit);

  /// An answer that nobody waits for any more is dropped.
  void answer(proto::LogText text);

  /// It answers nothing any more.
  void host_gone(const std::string& host);

 private:
  struct Question {
    std::string host;
    boost::asio::steady_timer over;
    std::optional<proto::LogText> text;
  };
  using Questions = std::map<std::uint64_t, std::shared_ptr<Question>>;

  boost::asio::any_io_executor executor_;
  std::shared_ptr<Questions> questions_ = std::make_shared<Questions>();  ///< shared with those who wait
  std::uint64_t last_ = 0;
};

}  // namespace lathe::manager

#include "http/session.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include "http/problem.hpp"
#include "http/response_writer.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto with_error = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds drain_time_at_stop{300};
constexpr std::string_view continue_text = "HTTP/1.1 100 Continue\r\n\r\n";

/// The answer to a request that could not be read; nullopt when there is nobody left to answer.
std::optional<HttpResponse> refusal_for(const error_code& error, const HttpLimits& limits) {
  if (error == http::error::body_limit) {
    return problem_response(HttpStatus::payload_too_large,
                            fmt::format("the request body is larger than {} bytes", limits.body_bytes));
  }
  if (error == http::error::header_limit) {
    return problem_response(HttpStatus::request_header_fields_too_large,
                            fmt::format("the request headers are larger than {} bytes", limits.header_bytes));
  }
  if (error == boost::beast::error::timeout) {
    return std::nullopt;
  }
  if (error.category() == make_error_code(http::error::bad_method).category() && error != http::error::end_of_stream &&
      error != http::error::partial_message) {
    return problem_response(HttpStatus::bad_request, "the request is not valid HTTP: " + error.message());
  }
  return std::nullopt;
}

HttpRequest to_request(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = message.method();
  request.version = message.version();
  request.body = std::move(message.body());
  request.headers = std::move(message.base());
  return request;
}

bool is_peer_gone(int socket) {
  char byte = 0;
  const auto count = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, const HttpLimits& limits, const HttpHandler& handler)
    : stream_(std::move(socket)),
      limits_(limits),
      handler_(handler),
      stop_signal_(stream_.get_executor(), asio::steady_timer::time_point::max()) {
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto endpoint = stream_.socket().local_endpoint(ignored);
  local_address_ = endpoint.address().to_string();
}

asio::awaitable<void> HttpSession::run() {
  while (!stopping_) {
    phase_ = Phase::Idle;
    Incoming incoming = co_await read_request();
    phase_ = Phase::Handling;
    if (incoming.is_end) co_return;
    if (incoming.refusal) {
      co_await send(incoming.request, *incoming.refusal, false);
      break;
    }
    HttpResponse response = co_await handle(incoming.request);
    const bool keep_alive = incoming.keep_alive && !stopping_;
    co_await send(incoming.request, response, keep_alive);
    if (!keep_alive || !stream_.socket().is_open()) break;
  }
  co_await drain();
}

asio::awaitable<void> HttpSession::turn_away() {
  HttpResponse response = problem_response(HttpStatus::service_unavailable, "too many connections");
  response.set("Retry-After", "5");
  HttpRequest request;
  co_await send(request, response, false);
  co_await drain();
}

void HttpSession::stop() {
  stopping_ = true;
  stop_signal_.cancel();
  if (phase_ != Phase::Handling) stream_.cancel();
}

void HttpSession::abort() {
  stop();
  stream_.close();
}

asio::awaitable<HttpSession::Incoming> HttpSession::read_request() {
  Incoming incoming;
  incoming.request.local_address = local_address_;
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.body_limit(limits_.body_bytes);
  stream_.expires_after(limits_.idle_time);
  auto [error, count] = co_await http::async_read_header(stream_, buffer_, parser, with_error);
  if (!error) {
    phase_ = Phase::Handling;
    error = co_await read_body(parser);
  }
  stream_.expires_never();
  if (error) {
    incoming.refusal = refusal_for(error, limits_);
    incoming.is_end = !incoming.refusal;
    co_return incoming;
  }
  incoming.keep_alive = parser.keep_alive();
  const std::string target(parser.get().target().data(), parser.get().target().size());
  incoming.request = to_request(parser.release());
  incoming.request.local_address = local_address_;
  if (const auto parsed = parse_target(target, incoming.request); !parsed)
    incoming.refusal = bad_request(parsed.error());
  co_return incoming;
}

asio::awaitable<error_code> HttpSession::read_body(Parser& parser) {
  if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue") && !parser.is_done()) {
    stream_.expires_after(limits_.write_time);
    const auto [error, count] = co_await asio::async_write(stream_, asio::buffer(continue_text), with_error);
    if (error) co_return error;
  }
  while (!parser.is_done()) {
    stream_.expires_after(limits_.read_time);
    const auto [error, count] = co_await http::async_read_some(stream_, buffer_, parser, with_error);
    if (error) co_return error;
  }
  co_return error_code{};
}

asio::awaitable<HttpResponse> HttpSession::handle(HttpRequest& request) {
  try {
    co_return co_await handler_(request);
  } catch (const std::exception& failure) {
    spdlog::error("{} {} failed: {}", std::string(http::to_string(request.method)), request.path, failure.what());
  }
  co_return problem_response(HttpStatus::internal_server_error,
                             "the daemon met an error that it did not expect; its log tells more");
}

asio::awaitable<void> HttpSession::send(const HttpRequest& request, HttpResponse& response, bool keep_alive) {
  const bool is_head = request.method == http::verb::head;
  const std::uint64_t length = response.producer ? response.content_length.value_or(0) : response.body.size();
  Framing framing = Framing::Length;
  if (response.producer && !response.content_length)
    framing = request.version >= 11 ? Framing::Chunked : Framing::Close;
  if (framing == Framing::Close) keep_alive = false;
  const std::string header = header_text(response, framing, length, keep_alive);
  const std::string_view body = is_head ? std::string_view() : std::string_view(response.body);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(header), asio::buffer(body)};
  stream_.expires_after(limits_.write_time);
  co_await asio::async_write(stream_, buffers, asio::use_awaitable);
  stream_.expires_never();
  if (!response.producer || is_head) co_return;
  const bool is_whole = co_await send_stream(request, response, framing == Framing::Chunked);
  if (!is_whole) stream_.close();
}

asio::awaitable<bool> HttpSession::send_stream(const HttpRequest& request, HttpResponse& response, bool is_chunked) {
  SocketBody body(stream_, is_chunked ? Framing::Chunked : Framing::Length, limits_.write_time);
  try {
    if (response.is_live) {
      co_await produce_live(body, response.producer);
    } else {
      co_await response.producer(body);
    }
    if (!body.is_intact()) co_return false;
    if (response.content_length && body.written() != *response.content_length) co_return false;
    co_await body.finish();
    co_return true;
  } catch (const boost::system::system_error& gone) {
    spdlog::debug("{}: the client is gone: {}", request.path, gone.what());
  } catch (const std::exception& failure) {
    spdlog::error("{}: the answer broke off: {}", request.path, failure.what());
  }
  co_return false;
}

asio::awaitable<void> HttpSession::produce_live(BodyStream& body, const BodyProducer& producer) {
  using namespace asio::experimental::awaitable_operators;
  std::exception_ptr failure;
  const auto produce = [&]() -> asio::awaitable<void> {
    try {
      co_await producer(body);
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
  };
  const auto ending = co_await (produce() || until_client_leaves() || until_stopped());
  if (ending.index() == 0 && failure) std::rethrow_exception(failure);
}

asio::awaitable<void> HttpSession::until_client_leaves() {
  const auto [error] = co_await stream_.socket().async_wait(asio::ip::tcp::socket::wait_read, with_error);
  if (error || is_peer_gone(stream_.socket().native_handle())) co_return;
  // The client has sent its next request already; from now on only a failing write tells that it is gone.
  co_await until_stopped();
}

asio::awaitable<void> HttpSession::until_stopped() {
  while (!stopping_) {
    co_await stop_signal_.async_wait(with_error);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
}

asio::awaitable<void> HttpSession::drain() {
  if (!stream_.socket().is_open()) co_return;
  phase_ = Phase::Draining;
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(stopping_ ? std::min(limits_.drain_time, drain_time_at_stop) : limits_.drain_time);
  std::array<char, 64 * 1024> waste;
  for (std::uint64_t total = 0; total < limits_.drain_bytes;) {
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(waste), with_error);
    if (error) break;
    total += count;
  }
  stream_.close();
}

}  // namespace lathe::manager

#include "http/session.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
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
constexpr std::chrono::milliseconds look_again{500};
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

/// True once the client has ended its side, even behind bytes that nobody has read yet.
bool is_peer_gone(int socket) {
  pollfd waited{socket, POLLRDHUP, 0};
  return ::poll(&waited, 1, 0) > 0 && (waited.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, TlsContext tls, const HttpLimits& limits,
                         const HttpService& service)
    : connection_(std::move(socket), std::move(tls)),
      stream_(connection_.tcp()),
      limits_(limits),
      service_(service),
      stop_signal_(stream_.get_executor(), asio::steady_timer::time_point::max()) {
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  local_address_ = stream_.socket().local_endpoint(ignored).address().to_string();
  remote_address_ = stream_.socket().remote_endpoint(ignored).address().to_string();
}

asio::awaitable<void> HttpSession::run() {
  if (connection_.is_secure() && !co_await shake_hands()) co_return;
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

asio::awaitable<bool> HttpSession::shake_hands() {
  phase_ = Phase::Idle;
  stream_.expires_after(limits_.handshake_time);
  const auto [error] = co_await connection_.async_handshake(with_error);
  phase_ = Phase::Handling;
  stream_.expires_never();
  if (!error) co_return true;
  spdlog::debug("{}: no TLS connection: {}", remote_address_, error.message());
  if (ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) co_await refuse_plain_http();
  co_return false;
}

asio::awaitable<void> HttpSession::refuse_plain_http() {
  const HttpResponse response = problem_response(HttpStatus::bad_request, "this port speaks https, not http");
  const std::string text = header_text(response, Framing::Length, response.body.size(), false) + response.body;
  stream_.expires_after(limits_.write_time);
  co_await asio::async_write(stream_, asio::buffer(text), with_error);
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  std::array<char, 4096> waste;
  co_await stream_.async_read_some(asio::buffer(waste), with_error);
}

asio::awaitable<void> HttpSession::turn_away() {
  if (connection_.is_secure() && !co_await shake_hands()) co_return;
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
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.body_limit(limits_.body_bytes);
  stream_.expires_after(limits_.idle_time);
  auto [error, count] = co_await http::async_read_header(connection_, buffer_, parser, with_error);
  stream_.expires_never();
  if (!error || error == http::error::body_limit) {
    phase_ = Phase::Handling;
    incoming.request = take_header(parser);
    const auto target = parser.get().target();
    const auto parsed = parse_target({target.data(), target.size()}, incoming.request);
    if (!parsed) incoming.refusal = bad_request(parsed.error());
    if (parsed && service_.admit) incoming.refusal = co_await service_.admit(incoming.request);
    if (incoming.refusal) co_return incoming;
  }
  if (!error) error = co_await read_body(parser);
  stream_.expires_never();
  if (error) {
    incoming.refusal = refusal_for(error, limits_);
    incoming.is_end = !incoming.refusal;
    co_return incoming;
  }
  incoming.keep_alive = parser.keep_alive();
  incoming.request.body = std::move(parser.get().body());
  co_return incoming;
}

HttpRequest HttpSession::take_header(const Parser& parser) const {
  HttpRequest request;
  request.method = parser.get().method();
  request.version = parser.get().version();
  request.headers = parser.get().base();
  request.local_address = local_address_;
  request.remote_address = remote_address_;
  request.is_secure = connection_.is_secure();
  return request;
}

asio::awaitable<error_code> HttpSession::read_body(Parser& parser) {
  if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue") && !parser.is_done()) {
    stream_.expires_after(limits_.write_time);
    const auto [error, count] = co_await asio::async_write(connection_, asio::buffer(continue_text), with_error);
    if (error) co_return error;
  }
  while (!parser.is_done()) {
    stream_.expires_after(limits_.read_time);
    const auto [error, count] = co_await http::async_read_some(connection_, buffer_, parser, with_error);
    if (error) co_return error;
  }
  co_return error_code{};
}

asio::awaitable<HttpResponse> HttpSession::handle(HttpRequest& request) {
  try {
    co_return co_await service_.handle(request);
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
  co_await asio::async_write(connection_, buffers, asio::use_awaitable);
  stream_.expires_never();
  if (!response.producer || is_head) co_return;
  const bool is_whole = co_await send_stream(request, response, framing == Framing::Chunked);
  if (!is_whole) stream_.close();
}

asio::awaitable<bool> HttpSession::send_stream(const HttpRequest& request, HttpResponse& response, bool is_chunked) {
  SocketBody body(connection_, is_chunked ? Framing::Chunked : Framing::Length, limits_.write_time);
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
  asio::steady_timer pause(stream_.get_executor());
  // The next request, or words of TLS, may lie unread in front of the end: then there is nothing to wait for.
  while (!error && !is_peer_gone(stream_.socket().native_handle())) {
    pause.expires_after(look_again);
    co_await pause.async_wait(with_error);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
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
  stream_.expires_after(stopping_ ? std::min(limits_.drain_time, drain_time_at_stop) : limits_.drain_time);
  co_await say_goodbye();
  std::array<char, 64 * 1024> waste;
  for (std::uint64_t total = 0; total < limits_.drain_bytes;) {
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(waste), with_error);
    if (error) break;
    total += count;
  }
  stream_.close();
}

/// Ends our side. With TLS its own word of farewell comes first, without waiting for the client's: what is still on
/// its way is thrown away unread.
asio::awaitable<void> HttpSession::say_goodbye() {
  if (connection_.is_secure()) co_await connection_.async_farewell(with_error);
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

}  // namespace lathe::manager

// One connection: reads requests, has them handled one after the other, writes the answers. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/connection.hpp"
#include "http/limits.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// Answers one request. What it throws becomes a 500 and is logged; it does not end more than this connection.
using HttpHandler = std::function<boost::asio::awaitable<HttpResponse>(HttpRequest&)>;

/// Looks at a request of which the header alone has been read. What it returns is the answer, and the end of the
/// connection: nothing more is read for whom it does not admit. Must not throw.
using HttpGate = std::function<boost::asio::awaitable<std::optional<HttpResponse>>(const HttpRequest&)>;

/// What a server does with requests.
struct HttpService {
  HttpHandler handle;
  HttpGate admit;  ///< empty: everybody is
};

class HttpSession {
 public:
  HttpSession(boost::asio::ip::tcp::socket socket, TlsContext tls, const HttpLimits& limits,
              const HttpService& service);

  /// Until the client leaves, breaks the protocol or lets a time limit pass, or stop() is called. Throws
  /// boost::system::system_error when the connection breaks.
  [[nodiscard]] boost::asio::awaitable<void> run();

  /// One 503 and goodbye, for the connection that is one too many.
  [[nodiscard]] boost::asio::awaitable<void> turn_away();

  /// Ends the connection as soon as that cuts off no answer: now when idle, at once for live streams, else after the
  /// answer.
  void stop();

  /// Ends the connection whatever it is doing.
  void abort();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  enum class Phase { Idle, Handling, Draining };

  /// What reading one request led to.
  struct Incoming {
    HttpRequest request;
    std::optional<HttpResponse> refusal;  ///< the request cannot be handled; this is the answer and the end
    bool keep_alive = false;
    bool is_end = false;  ///< the client has left
  };

  /// False when there is no secure connection after all.
  boost::asio::awaitable<bool> shake_hands();
  boost::asio::awaitable<void> refuse_plain_http();
  boost::asio::awaitable<Incoming> read_request();
  [[nodiscard]] HttpRequest take_header(const Parser& parser) const;
  boost::asio::awaitable<boost::system::error_code> read_body(Parser& parser);
  boost::asio::awaitable<HttpResponse> handle(HttpRequest& request);
  boost::asio::awaitable<void> send(const HttpRequest& request, HttpResponse& response, bool keep_alive);
  boost::asio::awaitable<bool> send_stream(const HttpRequest& request, HttpResponse& response, bool is_chunked);
  boost::asio::awaitable<void> produce_live(BodyStream& body, const BodyProducer& producer);
  boost::asio::awaitable<void> until_client_leaves();
  boost::asio::awaitable<void> say_goodbye();
  boost::asio::awaitable<void> until_stopped();
  boost::asio::awaitable<void> drain();

  Connection connection_;
  boost::beast::tcp_stream& stream_;  ///< of connection_: the bytes below TLS, and the time limits
  boost::beast::flat_buffer buffer_;
  const HttpLimits& limits_;
  const HttpService& service_;
  boost::asio::steady_timer stop_signal_;
  std::string local_address_;
  std::string remote_address_;
  Phase phase_ = Phase::Handling;
  bool stopping_ = false;
};

}  // namespace lathe::manager

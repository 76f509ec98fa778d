// One HTTP request on a connection of its own, beside the loop.
//
// Names are looked up by a child (getent): the agent is linked statically, and a look-up inside it would need the C
// library's own modules of the host, and could hang the loop's thread pool for as long as a resolver likes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <lathe/proto/result.hpp>

#include "children.hpp"
#include "pai/http_address.hpp"
#include "program_run.hpp"

namespace lathe::agent {

/// What is asked. No field may hold a line break.
struct HttpQuestion {
  std::string method;  ///< "GET", "POST", "PUT"
  std::string target;  ///< path and query, behind the address's own path
  std::string content_type;
  std::string body;
  std::string bearer_token;  ///< empty: none is sent
};

struct HttpAnswer {
  int status = 0;  ///< 0: there was none, see `error`
  std::string body;
  std::string location;  ///< where a redirection leads
  std::string error;     ///< why there is no answer, without the server's name
};

/// Whom https believes: TLS 1.2 and later, the authorities in `ca_file` (PEM) and no others; empty: those of the
/// system.
using TlsTrust = std::shared_ptr<boost::asio::ssl::context>;
[[nodiscard]] proto::Result<TlsTrust> make_trust(const std::string& ca_file);

class HttpRequest : public std::enable_shared_from_this<HttpRequest> {
 public:
  using Done = std::function<void(HttpAnswer)>;
  static constexpr std::size_t largest_body = std::size_t{32} << 20;

  /// `done` is called once, from the loop, unless `stop` is called before. `trust`: null where the address is http.
  static std::shared_ptr<HttpRequest> start(boost::asio::io_context& io, Children& children, HttpAddress address,
                                            TlsTrust trust, const HttpQuestion& question,
                                            std::chrono::milliseconds patience, Done done);
  HttpRequest(boost::asio::io_context& io, HttpAddress address, TlsTrust trust, Done done);

  void stop();

 private:
  using Tcp = boost::asio::ip::tcp;
  using Error = boost::system::error_code;

  void ask(const HttpQuestion& question);
  void limit(std::chrono::milliseconds patience);
  void look_up(boost::asio::io_context& io, Children& children, std::chrono::milliseconds patience);
  void looked_up(const ProgramOutput& run);
  void connect();
  void handshake();
  void send();
  void receive();
  void take_answer();
  void fail(const std::string& what, const Error& error);
  [[nodiscard]] std::string why_no_tls(const Error& error);
  void finish(HttpAnswer answer);
  void close();
  /// The stream that is spoken over: encrypted or not.
  template <class Function>
  void with_stream(Function function) {
    if (address_.is_secure) {
      function(*stream_);
    } else {
      function(stream_->next_layer());
    }
  }

  HttpAddress address_;
  TlsTrust trust_;
  Done done_;
  boost::asio::ssl::context plain_;  ///< where no TLS is spoken; the stream needs one
  std::optional<boost::beast::ssl_stream<boost::beast::tcp_stream>> stream_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<ProgramRun> lookup_;
  std::vector<Tcp::endpoint> endpoints_;
  boost::beast::http::request<boost::beast::http::string_body> request_;
  boost::beast::http::response_parser<boost::beast::http::string_body> parser_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace lathe::agent

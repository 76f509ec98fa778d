#include "http/client.hpp"

#include <array>

#include <fmt/format.h>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "http/socket.hpp"
#include "http/tls.hpp"

namespace lathe::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;

struct ResponseStream::Connection {
  Transport transport;
  boost::beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
};

namespace {

using ErrorCode = boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds connect_limit{5};
constexpr std::chrono::seconds answer_limit{60};
constexpr std::size_t largest_body = std::size_t{256} << 20;

http::request<http::string_body> to_message(const Request& request, const BaseUrl& url, const std::string& token) {
  http::request<http::string_body> message(http::string_to_verb(request.method), url.prefix + request.target, 11);
  message.set(http::field::host, url.authority());
  message.set(http::field::user_agent, "lathectl");
  message.set(http::field::accept, "*/*");
  message.set(http::field::connection, "close");
  if (!token.empty()) message.set(http::field::authorization, "Bearer " + token);
  for (const auto& [name, value] : request.headers) message.set(name, value);
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  if (!request.body.empty() || message.method() != http::verb::get) {
    message.body() = request.body;
    message.prepare_payload();
  }
  return message;
}

tl::unexpected<Failure> unreachable(const BaseUrl& url, const ErrorCode& error) {
  if (error == asio::error::connection_refused) {
    return fail(fmt::format("no lathed at {}: start one with `lathed`", url.to_string()), ExitCode::Unreachable);
  }
  return fail(fmt::format("no lathed at {}: {}; start one with `lathed`", url.to_string(), error.message()),
              ExitCode::Unreachable);
}

tl::unexpected<Failure> broken(const BaseUrl& url, const ErrorCode& error) {
  if (error == asio::error::operation_aborted) return fail("interrupted", ExitCode::Interrupted);
  if (error == asio::error::timed_out) {
    return fail(fmt::format("lathed at {} did not answer within {} s", url.to_string(), answer_limit.count()),
                ExitCode::Unreachable);
  }
  return fail(fmt::format("the connection to {} broke: {}", url.to_string(), error.message()), ExitCode::Unreachable);
}

Outcome<void> connect(Transport& transport, const BaseUrl& url, const std::string& ca_file, int wake_descriptor) {
  transport.socket().wake_on(wake_descriptor);
  transport.socket().expires_at(Clock::now() + connect_limit);
  ErrorCode error;
  transport.socket().connect(url.host, url.port, error);
  if (error == asio::error::operation_aborted) return broken(url, error);
  if (error) return unreachable(url, error);
  if (!url.is_secure) return {};
  auto trust = make_trust(ca_file);
  if (!trust) return pass_on(trust);
  auto secured = transport.secure(*std::move(trust), url.host, error);
  if (!secured) return fail(fmt::format("{}: {}", url.to_string(), secured.error().message), ExitCode::Unreachable);
  if (error == asio::error::operation_aborted) return broken(url, error);
  if (error) return unreachable(url, error);
  return {};
}

}  // namespace

ResponseStream::ResponseStream(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
ResponseStream::ResponseStream(ResponseStream&&) noexcept = default;
ResponseStream& ResponseStream::operator=(ResponseStream&&) noexcept = default;
ResponseStream::~ResponseStream() = default;

int ResponseStream::status() const {
  return static_cast<int>(connection_->parser.get().result_int());
}

ReadEnd ResponseStream::read(std::string& out, Clock::time_point deadline) {
  auto& [transport, buffer, parser] = *connection_;
  if (parser.is_done()) return ReadEnd::Finished;
  transport.socket().expires_at(deadline);
  std::array<char, 16384> chunk;  // NOLINT: filled by the parser
  auto& body = parser.get().body();
  body.data = chunk.data();
  body.size = chunk.size();
  ErrorCode error;
  http::read_some(transport, buffer, parser, error);
  const std::size_t received = chunk.size() - body.size;
  out.append(chunk.data(), received);
  if (received > 0) return ReadEnd::Data;
  if (error == asio::error::timed_out) return ReadEnd::TimedOut;
  if (error == asio::error::operation_aborted) return ReadEnd::Interrupted;
  if (error && error != http::error::need_buffer) return ReadEnd::Broken;
  return parser.is_done() ? ReadEnd::Finished : ReadEnd::Data;
}

Outcome<ResponseStream> HttpClient::open(const Request& request) const {
  auto connection = std::make_unique<ResponseStream::Connection>();
  auto& [transport, buffer, parser] = *connection;
  if (auto connected = connect(transport, url_, credentials_.ca_file, wake_descriptor_); !connected)
    return pass_on(connected);
  transport.socket().expires_at(Clock::now() + answer_limit);
  // A server that refuses a request early answers before it has read all of it: read even if writing fails.
  ErrorCode write_error;
  ErrorCode error;
  http::write(transport, to_message(request, url_, credentials_.token), write_error);
  parser.body_limit(boost::none);
  http::read_header(transport, buffer, parser, error);
  if (error) return broken(url_, error);
  return ResponseStream(std::move(connection));
}

Outcome<Response> HttpClient::send(const Request& request) const {
  auto stream = open(request);
  if (!stream) return pass_on(stream);
  Response response{stream->status(), {}};
  ReadEnd end = ReadEnd::Data;
  while (end == ReadEnd::Data) {
    end = stream->read(response.body, Clock::now() + answer_limit);
    if (response.body.size() > largest_body) return fail(fmt::format("{}: the answer is too large", url_.to_string()));
  }
  switch (end) {
    case ReadEnd::Interrupted:
      return broken(url_, asio::error::operation_aborted);
    case ReadEnd::TimedOut:
      return broken(url_, asio::error::timed_out);
    case ReadEnd::Broken:
      return broken(url_, asio::error::connection_reset);
    default:
      return response;
  }
}

bool HttpClient::sleep_until(Clock::time_point time) const {
  return !wait_for_descriptors(-1, 0, wake_descriptor_, time).second;
}

}  // namespace lathe::cli

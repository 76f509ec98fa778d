#include "pai/http_request.hpp"

#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace lathe::agent {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

bool is_ip_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

/// Names are told to the server (SNI) and must be in its certificate, and so must addresses.
bool expect_host(SSL* connection, const std::string& host) {
  if (is_ip_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(connection, host.c_str()) == 1 && SSL_set1_host(connection, host.c_str()) == 1;
}

}  // namespace

proto::Result<TlsTrust> make_trust(const std::string& ca_file) {
  auto trust = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(trust->native_handle(), TLS1_2_VERSION);
  trust->set_verify_mode(asio::ssl::verify_peer);
  boost::system::error_code error;
  if (ca_file.empty()) {
    trust->set_default_verify_paths(error);
  } else {
    trust->load_verify_file(ca_file, error);
  }
  if (!error) return trust;
  const std::string source = ca_file.empty() ? "the system's certificates" : "caFile " + ca_file;
  return proto::fail(fmt::format("{}: no certificate in PEM form can be read there ({})", source, error.message()));
}

std::shared_ptr<HttpRequest> HttpRequest::start(asio::io_context& io, Children& children, HttpAddress address,
                                                TlsTrust trust, const HttpQuestion& question,
                                                std::chrono::milliseconds patience, Done done) {
  auto request = std::make_shared<HttpRequest>(io, std::move(address), std::move(trust), std::move(done));
  request->ask(question);
  request->limit(patience);
  request->look_up(io, children, patience);
  return request;
}

HttpRequest::HttpRequest(asio::io_context& io, HttpAddress address, TlsTrust trust, Done done)
    : address_(std::move(address)),
      trust_(std::move(trust)),
      done_(std::move(done)),
      plain_(asio::ssl::context::tls_client),
      timer_(io) {
  stream_.emplace(io, trust_ ? *trust_ : plain_);
  parser_.body_limit(largest_body);
}

void HttpRequest::ask(const HttpQuestion& question) {
  constexpr unsigned http_1_1 = 11;
  request_.version(http_1_1);
  request_.method_string(question.method);
  request_.target(address_.path + question.target);
  request_.set(http::field::host, address_.authority());
  request_.set(http::field::user_agent, "lathe-agent");
  request_.set(http::field::accept, "application/json");
  request_.set(http::field::connection, "close");
  if (!question.bearer_token.empty()) request_.set(http::field::authorization, "Bearer " + question.bearer_token);
  if (!question.content_type.empty()) request_.set(http::field::content_type, question.content_type);
  request_.body() = question.body;
  if (question.method != "GET") request_.prepare_payload();
}

void HttpRequest::limit(std::chrono::milliseconds patience) {
  timer_.expires_after(patience);
  timer_.async_wait([self = shared_from_this(), patience](const Error& error) {
    if (!error) self->finish({0, {}, {}, fmt::format("no answer in {} ms", patience.count())});
  });
}

// ---- on the way to the server ---------------------------------------------------------------------------------------

void HttpRequest::look_up(asio::io_context& io, Children& children, std::chrono::milliseconds patience) {
  if (is_ip_address(address_.host)) {
    return asio::post(io, [self = shared_from_this()] { self->looked_up({0, self->address_.host + " STREAM", {}}); });
  }
  lookup_ = ProgramRun::start(io, children, "exec getent ahosts " + shell_quoted(address_.host), patience,
                              [self = shared_from_this()](const ProgramOutput& run) {
                                self->lookup_.reset();
                                self->looked_up(run);
                              });
}

void HttpRequest::looked_up(const ProgramOutput& run) {
  if (!done_) return;
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(line.substr(0, line.find(' ')), error);
    if (error || line.find("STREAM") == std::string::npos) continue;
    endpoints_.emplace_back(address, static_cast<std::uint16_t>(std::stoi(address_.port)));
  }
  if (!endpoints_.empty()) return connect();
  finish({0, {}, {}, fmt::format("the name {} is not known{}", address_.host, run.exit_code ? "" : ": " + run.error)});
}

void HttpRequest::connect() {
  beast::get_lowest_layer(*stream_).async_connect(
      endpoints_, [self = shared_from_this()](const Error& error, const Tcp::endpoint&) {
        if (error) return self->fail("cannot connect", error);
        self->address_.is_secure ? self->handshake() : self->send();
      });
}

void HttpRequest::handshake() {
  if (!expect_host(stream_->native_handle(), address_.host)) {
    return finish({0, {}, {}, address_.host + " is no host name"});
  }
  stream_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](const Error& error) {
    if (!error) return self->send();
    self->finish({0, {}, {}, self->why_no_tls(error)});
  });
}

std::string HttpRequest::why_no_tls(const Error& error) {
  const long verdict = SSL_get_verify_result(stream_->native_handle());
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "its certificate is for another host than " + address_.host;
  }
  if (verdict != X509_V_OK) {
    return fmt::format("its certificate is not trusted: {}; name the authority that signed it with caFile",
                       X509_verify_cert_error_string(verdict));
  }
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  if (error.category() == asio::error::get_ssl_category() && reason == SSL_R_WRONG_VERSION_NUMBER) {
    return "it does not speak https; try http:// in host";
  }
  return "no secure connection: " + error.message();
}

// ---- asking ---------------------------------------------------------------------------------------------------------

void HttpRequest::send() {
  with_stream([this](auto& stream) {
    http::async_write(stream, request_, [self = shared_from_this()](const Error& error, std::size_t) {
      if (error) return self->fail("the connection broke", error);
      self->receive();
    });
  });
}

void HttpRequest::receive() {
  with_stream([this](auto& stream) {
    http::async_read(stream, buffer_, parser_, [self = shared_from_this()](const Error& error, std::size_t) {
      if (error == http::error::body_limit) return self->finish({0, {}, {}, "its answer is too long"});
      if (error) return self->fail("the connection broke", error);
      self->take_answer();
    });
  });
}

void HttpRequest::take_answer() {
  auto message = parser_.release();
  HttpAnswer answer;
  answer.status = static_cast<int>(message.result_int());
  answer.location = message[http::field::location];
  answer.body = std::move(message.body());
  finish(std::move(answer));
}

// ---- the end --------------------------------------------------------------------------------------------------------

void HttpRequest::fail(const std::string& what, const Error& error) {
  finish({0, {}, {}, what + ": " + error.message()});
}

void HttpRequest::finish(HttpAnswer answer) {
  if (!done_) return;
  const Done done = std::exchange(done_, nullptr);
  close();
  done(std::move(answer));
}

void HttpRequest::stop() {
  done_ = nullptr;
  close();
}

/// No farewell in TLS: the answer was whole by its own length, or is not used.
void HttpRequest::close() {
  timer_.cancel();
  if (lookup_) std::exchange(lookup_, nullptr)->stop();
  beast::get_lowest_layer(*stream_).close();
}

}  // namespace lathe::agent

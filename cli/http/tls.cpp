#include "http/tls.hpp"

#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include "output/text.hpp"

namespace lathe::cli {
namespace {

namespace ssl = boost::asio::ssl;

bool is_address(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

/// Names are told to the server (SNI) and must be in its certificate, and so must addresses.
bool expect_host(SSL* connection, const std::string& host) {
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(connection, host.c_str()) == 1 && SSL_set1_host(connection, host.c_str()) == 1;
}

std::string why_not(SSL* connection, const std::string& host, const boost::system::error_code& error) {
  const long verdict = SSL_get_verify_result(connection);
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return fmt::format("its certificate is for another host than {}", escape(host));
  if (verdict != X509_V_OK) {
    return fmt::format("its certificate is not trusted: {}; name the authority that signed it with --ca-file",
                       X509_verify_cert_error_string(verdict));
  }
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  if (error.category() == boost::asio::error::get_ssl_category() && reason == SSL_R_WRONG_VERSION_NUMBER)
    return "it does not speak https; try http:// in --url";
  return "no secure connection: " + error.message();
}

}  // namespace

Outcome<TlsTrust> make_trust(const std::string& ca_file) {
  auto trust = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(trust->native_handle(), TLS1_2_VERSION);
  trust->set_verify_mode(ssl::verify_peer);
  boost::system::error_code error;
  if (ca_file.empty())
    trust->set_default_verify_paths(error);
  else
    trust->load_verify_file(ca_file, error);
  if (!error) return trust;
  const std::string source = ca_file.empty() ? "the system's certificates" : "--ca-file " + escape(ca_file);
  return fail(fmt::format("{}: no certificate in PEM form can be read there ({})", source, error.message()),
              ExitCode::Usage);
}

Outcome<void> Transport::secure(TlsTrust trust, const std::string& host, Socket::ErrorCode& error) {
  trust_ = std::move(trust);
  tls_.emplace(socket_, *trust_);
  if (!expect_host(tls_->native_handle(), host)) return fail(fmt::format("{} is no host name", escape(host)));
  tls_->handshake(ssl::stream_base::client, error);
  if (!error || error == boost::asio::error::timed_out || error == boost::asio::error::operation_aborted) return {};
  return fail(why_not(tls_->native_handle(), host, error));
}

}  // namespace lathe::cli

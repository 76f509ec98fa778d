// The server's certificate and private key.
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/ssl/context.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

/// What new connections are encrypted with; those that exist keep the one they began with.
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

struct TlsFiles {
  std::filesystem::path certificate;  ///< PEM: the server's certificate first, then those that lead to its authority
  std::filesystem::path key;          ///< PEM, without a passphrase; others must not be able to read it

  [[nodiscard]] bool is_wanted() const { return !certificate.empty(); }
};

/// Reads both files: TLS 1.2 and later, the ciphers of OpenSSL's defaults (with a floor of security level 2). The error
/// names the file: missing, not PEM, with a passphrase, readable by others, or a key that does not belong to the
/// certificate. Blocking.
[[nodiscard]] proto::Result<TlsContext> load_tls(const TlsFiles& files);

}  // namespace lathe::manager

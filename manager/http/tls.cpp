#include "http/tls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/buffer.hpp>

#include "http/open_beneath.hpp"

namespace lathe::manager {
namespace {

namespace fs = std::filesystem;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::size_t kLargestFile = 1 << 20;
constexpr int kSecurityLevel = 2;  // 112 bits: no RSA below 2048, no SHA-1 signatures

tl::unexpected<proto::Error> refuse(const fs::path& file, const std::string& why) {
  return proto::fail(fmt::format("{}: {}", file.string(), why));
}

struct PemFile {
  std::string text;
  mode_t mode = 0;
};

/// Text and permissions of one and the same file, whatever its name leads to later.
proto::Result<PemFile> read_pem(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return refuse(path, std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) return refuse(path, "it is not a plain file");
  PemFile pem{std::string(kLargestFile, '\0'), status.st_mode};
  const ssize_t count = ::read(file.get(), pem.text.data(), pem.text.size());
  if (count < 0) return refuse(path, std::generic_category().message(errno));
  pem.text.resize(static_cast<std::size_t>(count));
  return pem;
}

proto::Result<void> use_certificate(ssl::context& context, const fs::path& path) {
  const auto pem = read_pem(path);
  if (!pem) return tl::unexpected(pem.error());
  error_code error;
  context.use_certificate_chain(boost::asio::buffer(pem->text), error);
  if (!error) return {};
  const bool is_weak = ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_EE_KEY_TOO_SMALL;
  return refuse(path, is_weak ? "the key of its certificate is too short to be safe (RSA needs 2048 bits)"
                              : "it has no certificate in PEM form (" + error.message() + ")");
}

proto::Result<void> use_key(ssl::context& context, const fs::path& path) {
  const auto pem = read_pem(path);
  if (!pem) return tl::unexpected(pem.error());
  if ((pem->mode & (S_IROTH | S_IWOTH)) != 0) {
    return refuse(path, fmt::format("everybody on this machine can read or write this private key; run: chmod o-rwx {}",
                                    path.string()));
  }
  bool is_encrypted = false;
  context.set_password_callback([&is_encrypted](std::size_t, ssl::context::password_purpose) {
    is_encrypted = true;
    return std::string();
  });
  error_code error;
  context.use_private_key(boost::asio::buffer(pem->text), ssl::context::pem, error);
  // The callback must not outlive what it refers to.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); });
  if (is_encrypted) return refuse(path, "it is protected by a passphrase, which a daemon has nobody to ask for");
  if (ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH)
    return refuse(path, "this key does not belong to the certificate");
  if (error) return refuse(path, "it has no private key in PEM form (" + error.message() + ")");
  return {};
}

}  // namespace

proto::Result<TlsContext> load_tls(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_security_level(native, kSecurityLevel);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (auto used = use_certificate(*context, files.certificate); !used) return tl::unexpected(used.error());
  if (auto used = use_key(*context, files.key); !used) return tl::unexpected(used.error());
  if (SSL_CTX_check_private_key(native) != 1) return refuse(files.key, "this key does not belong to the certificate");
  return context;
}

}  // namespace lathe::manager

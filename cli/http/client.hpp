// Requests to the daemon, one connection each. Everything here blocks, and every wait has a limit.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/url.hpp"
#include "outcome.hpp"

namespace lathe::cli {

struct Request {
  std::string method = "GET";
  std::string target;  ///< path and query, without the base URL's prefix
  std::string body;
  std::string content_type;  ///< of the body
  std::vector<std::pair<std::string, std::string>> headers;
};

struct Response {
  int status = 0;
  std::string body;
};

/// What a client shows the daemon, and what it wants to see of it.
struct Credentials {
  std::string token;    ///< sent with every request; empty: none
  std::string ca_file;  ///< PEM file of the authorities to trust over https; empty: those of the system
};

/// Why ResponseStream::read came back.
enum class ReadEnd {
  Data,         ///< bytes were appended
  Finished,     ///< the response is complete
  Broken,       ///< the connection was lost inside the response
  TimedOut,     ///< nothing came until the deadline; reading may go on
  Interrupted,  ///< the wake descriptor became readable; reading may go on
};

/// A response whose body is read as it comes.
class ResponseStream {
 public:
  struct Connection;

  explicit ResponseStream(std::unique_ptr<Connection> connection);
  ResponseStream(ResponseStream&&) noexcept;
  ResponseStream& operator=(ResponseStream&&) noexcept;
  ~ResponseStream();

  [[nodiscard]] int status() const;
  /// Appends what has come to `out`, after waiting for the first byte of it until `deadline`.
  [[nodiscard]] ReadEnd read(std::string& out, std::chrono::steady_clock::time_point deadline);

 private:
  std::unique_ptr<Connection> connection_;
};

class HttpClient {
 public:
  explicit HttpClient(BaseUrl url, Credentials credentials = {})
      : url_(std::move(url)), credentials_(std::move(credentials)) {}

  /// A descriptor that interrupts waits when it becomes readable (see Signals); -1: none.
  void wake_on(int descriptor) { wake_descriptor_ = descriptor; }

  /// The whole response, whatever its status. Fails with ExitCode::Unreachable when nobody answers.
  [[nodiscard]] Outcome<Response> send(const Request& request) const;
  /// Returns when the header has come.
  [[nodiscard]] Outcome<ResponseStream> open(const Request& request) const;

  /// Sleeps; false when the wake descriptor cut the sleep short.
  [[nodiscard]] bool sleep_until(std::chrono::steady_clock::time_point time) const;

  [[nodiscard]] const BaseUrl& url() const { return url_; }

 private:
  BaseUrl url_;
  Credentials credentials_;
  int wake_descriptor_ = -1;
};

}  // namespace lathe::cli

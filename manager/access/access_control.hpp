// Decides by its token whether a request may be handled. Loop thread only.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "access/failed_attempts.hpp"
#include "access/token_file.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

class AccessControl {
 public:
  explicit AccessControl(std::filesystem::path data_dir) : file_(std::move(data_dir)) {}

  /// Reads the token file, and makes it when there is none. Blocking.
  [[nodiscard]] proto::Result<void> open();

  /// The refusal, or nullopt: the request has a token whose role allows it.
  ///   401  no token, or one that is not known (held back for a while and logged, without the token)
  ///   403  a read-only token, and a method other than GET, HEAD and OPTIONS
  ///   503  the token file cannot be used any more, e.g. after an edit: then no token is good
  /// A changed token file is read anew before it is asked, so that an edit takes effect with the next request.
  [[nodiscard]] boost::asio::awaitable<std::optional<HttpResponse>> admit(const HttpRequest& request);

 private:
  [[nodiscard]] bool refresh();
  [[nodiscard]] bool is_current() const;
  [[nodiscard]] const Token* find(std::string_view presented) const;
  [[nodiscard]] boost::asio::awaitable<HttpResponse> refuse_token(const HttpRequest& request);

  TokenFile file_;
  std::vector<Token> tokens_;
  std::optional<struct stat> status_;  ///< of the file when it was read; none: it is to be read again in any case
  std::string trouble_;                ///< why the file cannot be used; empty: it can
  FailedAttempts failures_;
};

/// The token of `Authorization: Bearer TOKEN`; empty when there is none, or more than one such header.
[[nodiscard]] std::string_view bearer_token(const HttpRequest& request);

}  // namespace lathe::manager

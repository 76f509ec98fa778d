// Where the daemon is, and how targets of requests are spelled.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "outcome.hpp"

namespace lathe::cli {

/// The base address of a daemon.
struct BaseUrl {
  bool is_secure = false;  ///< https
  std::string host = "127.0.0.1";
  std::string port = "8080";
  std::string prefix;  ///< path in front of every target, without a trailing slash

  /// `http://host:port/prefix`, or https, as messages show it.
  [[nodiscard]] std::string to_string() const;
  /// The value of the Host header.
  [[nodiscard]] std::string authority() const;
  /// Whether the daemon is on this machine: `localhost` or a loopback address.
  [[nodiscard]] bool is_loopback() const;
};

/// `http[s]://host[:port][/prefix]`; without scheme it is http, without port 8080. A usage failure names what is wrong.
[[nodiscard]] Outcome<BaseUrl> parse_base_url(std::string_view text);

/// `/api/v1/a/b` of the given segments, percent-encoded, so that no ID can climb out of its place.
[[nodiscard]] std::string api_path(std::initializer_list<std::string_view> segments);

/// Query parameters in order; those with an empty value are left out.
using Query = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] std::string with_query(std::string path, const Query& query);

}  // namespace lathe::cli

// The address of an HTTP server: scheme, host and port of a URL.
#pragma once

#include <string>

#include <lathe/proto/result.hpp>

namespace lathe::agent {

struct HttpAddress {
  bool is_secure = true;
  std::string host;  ///< a name or an address; an IPv6 address without its brackets
  std::string port;
  std::string path;  ///< what stands before the path of every request; empty, or "/a/b" without a slash at the end

  /// "https://host[:port][/path]" or "http://…". Other schemes, users, queries and fragments are errors.
  [[nodiscard]] static proto::Result<HttpAddress> parse(const std::string& url);

  /// As a Host header has it.
  [[nodiscard]] std::string authority() const;
};

}  // namespace lathe::agent

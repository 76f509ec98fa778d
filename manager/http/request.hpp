// One HTTP request, taken apart: what a handler sees.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/verb.hpp>

#include <lathe/proto/result.hpp>

namespace lathe::manager {

/// Names and values, in the order of the request.
using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// The first value of that name; nullopt when there is none.
[[nodiscard]] std::optional<std::string_view> find_value(const NamedValues& values, std::string_view name);

struct HttpRequest {
  boost::beast::http::verb method = boost::beast::http::verb::unknown;
  unsigned version = 11;               ///< 10 or 11
  std::string path;                    ///< as sent, without the query
  std::vector<std::string> segments;   ///< of the path, percent-decoded; `/a/b%20c` is {"a", "b c"}, `/` is {}
  NamedValues query;                   ///< decoded; a name without `=` has an empty value
  boost::beast::http::fields headers;  ///< names ignore case
  std::string body;
  std::string local_address;   ///< the address of ours that the client has reached
  std::string remote_address;  ///< the client's
  bool is_secure = false;      ///< came over TLS
  NamedValues path_values;     ///< filled in by the router: {name} of the pattern

  /// Value of a header; empty when it is absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// Value of a `{name}` of the route's pattern; throws std::out_of_range for a name that the pattern does not have.
  [[nodiscard]] const std::string& path_value(std::string_view name) const;
};

/// Takes the request target apart into path, segments and query. Origin form (`/a?b=c`), absolute form and `*` are
/// understood.
[[nodiscard]] proto::Result<bool> parse_target(std::string_view target, HttpRequest& request);

}  // namespace lathe::manager

// Finds the row of a routing table that a request is meant for.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/verb.hpp>

#include "http/request.hpp"

namespace lathe::manager {

/// The values of a pattern's `{name}` segments when the path fits the pattern, e.g. `/experiments/{id}`; else nullopt.
[[nodiscard]] std::optional<NamedValues> match_path(std::string_view pattern, const std::vector<std::string>& segments);

/// What a search of the table found: a row, or that the path exists with other methods, or nothing.
template <class Route>
struct RouteMatch {
  const Route* route = nullptr;
  NamedValues path_values;
  std::string allow;  ///< methods of the path, as an Allow header; empty: no such path
};

/// `Route` has `method` and `pattern`. HEAD is served by the row of GET.
template <class Route>
[[nodiscard]] RouteMatch<Route> find_route(std::span<const Route> table, boost::beast::http::verb method,
                                           const std::vector<std::string>& segments) {
  using boost::beast::http::verb;
  const verb wanted = method == verb::head ? verb::get : method;
  RouteMatch<Route> match;
  for (const Route& route : table) {
    auto values = match_path(route.pattern, segments);
    if (!values) continue;
    const auto name = boost::beast::http::to_string(route.method);
    if (!match.allow.empty()) match.allow += ", ";
    match.allow.append(name.data(), name.size());
    if (route.method == verb::get) match.allow += ", HEAD";
    if (route.method != wanted) continue;
    match.route = &route;
    match.path_values = std::move(*values);
  }
  if (!match.allow.empty()) match.allow += ", OPTIONS";
  return match;
}

}  // namespace lathe::manager

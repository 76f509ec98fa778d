// The REST interface: which path is served by which handler. proto/openapi.yaml says the same, and a test holds them
// together.
#pragma once

#include <span>
#include <string_view>

#include <boost/beast/http/verb.hpp>

#include "api/handlers.hpp"

namespace lathe::manager {

struct Route {
  boost::beast::http::verb method;
  std::string_view pattern;
  HandlerResult (*handle)(const HttpRequest&, const ApiContext&);
};

[[nodiscard]] std::span<const Route> routes();

/// Answers any request that was admitted (see admission.hpp): finds the route, serves the dashboard where there is
/// none. Exceptions become a logged 500.
[[nodiscard]] HandlerResult answer(HttpRequest& request, const ApiContext& context);

}  // namespace lathe::manager

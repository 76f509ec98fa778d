// Who may ask: the gate before the routing table.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// The refusal of a request of which only the header is known, or nullopt. Requests of other web sites are refused
/// always (see origin_guard.hpp); where the daemon wants tokens, everything needs one but `/healthz` and the files of
/// the dashboard, which say nothing about experiments.
[[nodiscard]] boost::asio::awaitable<std::optional<HttpResponse>> admit(const HttpRequest& request,
                                                                        const ApiContext& context);

}  // namespace lathe::manager

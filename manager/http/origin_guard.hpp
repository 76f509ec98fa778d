// Keeps other web sites away from a daemon that trusts whoever can reach it: a page whose name has been pointed at
// 127.0.0.1 (DNS rebinding) shows a foreign Host, and a form or script of another site shows a foreign Origin.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/request.hpp"

namespace lathe::manager {

/// Why the request is to be refused, in a sentence; nullopt: let it pass.
/// Host must be a loopback name or address, the address that the client reached, or one of `own_names`, with any port
/// (a tunnel may have changed it). Origin, where there is one, must be the same as Host.
[[nodiscard]] std::optional<std::string> refuse_foreign(const HttpRequest& request,
                                                        const std::vector<std::string>& own_names);

}  // namespace lathe::manager

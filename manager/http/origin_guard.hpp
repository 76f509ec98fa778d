// Keeps other web sites away from the daemon. A browser runs the scripts of any site, and whatever reaches this server
// runs commands; so a request that a browser sends on behalf of another site is refused, whether or not it has a token:
//
//   DNS rebinding      the site's own name points at our address: Host shows the name;
//   forms and scripts  Origin shows the site, or `null` for a sandboxed frame or a file;
//   images and links   no Origin at all, but Sec-Fetch-Site or Referer tell whose page it was;
//   CORS preflights    are never granted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/request.hpp"

namespace lathe::manager {

/// Why the request is to be refused, in a sentence; nullopt: let it pass.
///
/// Host must be `localhost`, a loopback address, the address that the client reached, or one of `own_names` (lower
/// case), with any port (a tunnel may have changed it). Origin, where there is one, must be the same host and port, and
/// https when the connection is. Programs that are no browser (curl, lathectl) send neither Origin nor Sec-Fetch-Site
/// and may use any content type. A link on another site may open a page of the dashboard, and nothing else.
[[nodiscard]] std::optional<std::string> refuse_foreign(const HttpRequest& request,
                                                        const std::vector<std::string>& own_names);

}  // namespace lathe::manager

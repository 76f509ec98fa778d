// Errors as problem documents (RFC 9457), the one form in which this server says no.
#pragma once

#include <string>

#include <lathe/proto/result.hpp>

#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// `detail` is one sentence; `errors` name the fields at fault, if any.
[[nodiscard]] HttpResponse problem_response(HttpStatus status, std::string detail, const proto::Errors& errors = {});

/// One of its `errors`.
[[nodiscard]] nlohmann::ordered_json error_json(const proto::Error& error);

/// A 400 that names the parameter at fault.
[[nodiscard]] HttpResponse bad_request(const proto::Error& error);

/// Adds `instance`, the path of the request, to a problem document; leaves every other answer alone.
void set_instance(HttpResponse& response, const HttpRequest& request);

}  // namespace lathe::manager

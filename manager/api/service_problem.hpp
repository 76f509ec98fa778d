// Refusals of the experiment service as answers.
#pragma once

#include "experiment/service.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace lathe::manager {

/// Invalid → 422 (400 for a GET, where only a query parameter can be wrong), NotFound → 404, Conflict → 409,
/// Unavailable → 503 with Retry-After.
[[nodiscard]] HttpResponse service_problem(const ServiceError& error, const HttpRequest& request);

/// A 422 for a body that could be read but says something wrong.
[[nodiscard]] HttpResponse invalid_body(const proto::Errors& errors);

}  // namespace lathe::manager

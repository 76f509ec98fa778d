#include "api/service_problem.hpp"

#include <fmt/format.h>

#include "http/problem.hpp"

namespace lathe::manager {
namespace {

std::string summary(const proto::Errors& errors) {
  if (errors.empty()) return "the request was refused";
  const std::string first = errors.front().to_string();
  if (errors.size() == 1) return first;
  return fmt::format("{} errors, the first: {}", errors.size(), first);
}

HttpStatus status_of(ServiceError::Kind kind, const HttpRequest& request) {
  switch (kind) {
    case ServiceError::Kind::Invalid:
      return request.body.empty() && request.method == boost::beast::http::verb::get ? HttpStatus::bad_request
                                                                                     : HttpStatus::unprocessable_entity;
    case ServiceError::Kind::NotFound:
      return HttpStatus::not_found;
    case ServiceError::Kind::Conflict:
      return HttpStatus::conflict;
    case ServiceError::Kind::Unavailable:
      return HttpStatus::service_unavailable;
  }
  return HttpStatus::internal_server_error;
}

}  // namespace

HttpResponse service_problem(const ServiceError& error, const HttpRequest& request) {
  HttpResponse response = problem_response(status_of(error.kind, request), summary(error.errors), error.errors);
  if (error.kind == ServiceError::Kind::Unavailable) response.set("Retry-After", "10");
  return response;
}

HttpResponse invalid_body(const proto::Errors& errors) {
  return problem_response(HttpStatus::unprocessable_entity, summary(errors), errors);
}

}  // namespace lathe::manager

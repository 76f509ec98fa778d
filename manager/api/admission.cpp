#include "api/admission.hpp"

#include <exception>

#include <spdlog/spdlog.h>

#include "access/access_control.hpp"
#include "api/routes.hpp"
#include "http/origin_guard.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;
using boost::beast::http::verb;

bool is_public(const HttpRequest& request) {
  if (request.method != verb::get && request.method != verb::head) return false;
  if (request.segments.size() == 1 && request.segments.front() == "healthz") return true;
  const bool is_api = !request.segments.empty() && request.segments.front() == "api";
  return !is_api && find_route(routes(), request.method, request.segments).allow.empty();
}

asio::awaitable<std::optional<HttpResponse>> refuse(const HttpRequest& request, const ApiContext& context) {
  if (auto reason = refuse_foreign(request, context.own_names)) {
    spdlog::warn("{} from {}: refused, {}", request.path, request.remote_address, *reason);
    co_return problem_response(HttpStatus::forbidden, std::move(*reason));
  }
  if (context.access == nullptr || is_public(request)) co_return std::nullopt;
  co_return co_await context.access->admit(request);
}

}  // namespace

asio::awaitable<std::optional<HttpResponse>> admit(const HttpRequest& request, const ApiContext& context) {
  std::optional<HttpResponse> refusal;
  try {
    refusal = co_await refuse(request, context);
  } catch (const std::exception& failure) {
    spdlog::error("{}: cannot tell whether it is allowed: {}", request.path, failure.what());
    refusal = problem_response(HttpStatus::internal_server_error,
                               "the daemon met an error that it did not expect; its log tells more");
  }
  if (refusal) set_instance(*refusal, request);
  co_return refusal;
}

}  // namespace lathe::manager

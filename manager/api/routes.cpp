#include "api/routes.hpp"

#include <array>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "api/blocking.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"
#include "http/static_files.hpp"

namespace lathe::manager {
namespace {

using boost::beast::http::verb;

constexpr std::array table{
    Route{verb::get, "/api/v1/experiments", list_experiments},
    Route{verb::post, "/api/v1/experiments", create_experiment},
    Route{verb::post, "/api/v1/experiments/check", check_experiment},
    Route{verb::get, "/api/v1/schema/experiment", show_experiment_schema},
    Route{verb::get, "/api/v1/schema/search-space", show_search_space_schema},
    Route{verb::get, "/api/v1/experiments/{id}", show_experiment},
    Route{verb::patch, "/api/v1/experiments/{id}", change_experiment},
    Route{verb::delete_, "/api/v1/experiments/{id}", delete_experiment},
    Route{verb::post, "/api/v1/experiments/{id}/stop", stop_experiment},
    Route{verb::post, "/api/v1/experiments/{id}/resume", resume_experiment},
    Route{verb::get, "/api/v1/experiments/{id}/columns", list_columns},
    Route{verb::get, "/api/v1/experiments/{id}/table", show_table},
    Route{verb::get, "/api/v1/experiments/{id}/history", show_history},
    Route{verb::get, "/api/v1/experiments/{id}/front", show_front},
    Route{verb::get, "/api/v1/experiments/{id}/importance", show_importance},
    Route{verb::get, "/api/v1/experiments/{id}/timeline", show_timeline},
    Route{verb::get, "/api/v1/experiments/{id}/layers", list_layers},
    Route{verb::get, "/api/v1/experiments/{id}/intermediates", list_intermediates},
    Route{verb::get, "/api/v1/experiments/{id}/baseline", show_baseline},
    Route{verb::get, "/api/v1/experiments/{id}/trials", list_trials},
    Route{verb::post, "/api/v1/experiments/{id}/trials", add_trial},
    Route{verb::get, "/api/v1/experiments/{id}/trials/{tid}", show_trial},
    Route{verb::post, "/api/v1/experiments/{id}/trials/{tid}/cancel", cancel_trial},
    Route{verb::get, "/api/v1/experiments/{id}/metrics", list_metrics},
    Route{verb::get, "/api/v1/experiments/{id}/trials/{tid}/metrics", list_metrics},
    Route{verb::get, "/api/v1/experiments/{id}/trials/{tid}/logs/{log}", show_trial_log},
    Route{verb::get, "/api/v1/experiments/{id}/trials/{tid}/files/{name}", download_trial_file},
    Route{verb::get, "/api/v1/experiments/{id}/export", export_experiment},
    Route{verb::get, "/api/v1/experiments/{id}/events", follow_events},
    Route{verb::get, "/api/v1/events", follow_events},
    Route{verb::get, "/api/v1/hosts", list_hosts},
    Route{verb::get, "/api/v1/hosts/{host}", show_host},
    Route{verb::post, "/api/v1/hosts/{host}/drain", drain_host},
    Route{verb::post, "/api/v1/hosts/{host}/resume", resume_host},
    Route{verb::post, "/api/v1/hosts/{host}/test", test_host},
    Route{verb::get, "/api/v1/log", show_daemon_log},
    Route{verb::get, "/api/v1/daemon", show_daemon},
    Route{verb::put, "/api/v1/daemon/drain", drain_daemon},
    Route{verb::delete_, "/api/v1/daemon/drain", resume_daemon},
    Route{verb::get, "/healthz", show_health},
    Route{verb::get, "/version", show_version},
    Route{verb::get, "/openapi.yaml", show_description},
};

bool is_read(verb method) {
  return method == verb::get || method == verb::head;
}

HttpResponse options_response(std::string allow) {
  HttpResponse response = empty_response();
  response.set("Allow", std::move(allow));
  return response;
}

HttpResponse wrong_method(const HttpRequest& request, std::string allow) {
  const auto name = boost::beast::http::to_string(request.method);
  HttpResponse response =
      problem_response(HttpStatus::method_not_allowed,
                       request.path + " does not know " + std::string(name.data(), name.size()) + ", but " + allow);
  response.set("Allow", std::move(allow));
  return response;
}

HandlerResult serve_page(const HttpRequest& request, const ApiContext& context) {
  const bool is_api = !request.segments.empty() && request.segments.front() == "api";
  if (is_api || context.webui.empty() || request.path == "*") {
    co_return problem_response(HttpStatus::not_found, "there is nothing at " + request.path);
  }
  if (!is_read(request.method)) co_return wrong_method(request, "GET, HEAD, OPTIONS");
  const auto serve = [&] { return serve_static(context.webui, request); };
  co_return co_await run_blocking(context.pool, serve);
}

HandlerResult dispatch(HttpRequest& request, const ApiContext& context) {
  if (request.method == verb::unknown)
    co_return problem_response(HttpStatus::not_implemented, "the request method is not known");
  auto match = find_route(routes(), request.method, request.segments);
  if (request.method == verb::options)
    co_return options_response(match.allow.empty() ? "GET, HEAD, OPTIONS" : match.allow);
  if (match.route == nullptr && !match.allow.empty()) co_return wrong_method(request, std::move(match.allow));
  if (match.route == nullptr) co_return co_await serve_page(request, context);
  request.path_values = std::move(match.path_values);
  co_return co_await match.route->handle(request, context);
}

}  // namespace

std::span<const Route> routes() {
  return table;
}

HandlerResult answer(HttpRequest& request, const ApiContext& context) {
  HttpResponse response;
  try {
    response = co_await dispatch(request, context);
  } catch (const std::exception& failure) {
    const auto name = boost::beast::http::to_string(request.method);
    spdlog::error("{} {} failed: {}", std::string(name.data(), name.size()), request.path, failure.what());
    response = problem_response(HttpStatus::internal_server_error,
                                "the daemon met an error that it did not expect; its log tells more");
  }
  set_instance(response, request);
  co_return response;
}

}  // namespace lathe::manager

#include <utility>

#include "api/handlers.hpp"
#include "api/query.hpp"
#include "api/service_problem.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

HandlerResult set_drained(const HttpRequest& request, const ApiContext& context, bool drained) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto status = co_await context.service.drain_host(request.path_value("host"), drained);
  if (!status) co_return service_problem(status.error(), request);
  co_return json_response(to_json(*status));
}

}  // namespace

HandlerResult list_hosts(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const HostStatus& status : context.service.list_hosts()) items.push_back(to_json(status));
  co_return json_response({{"items", std::move(items)}});
}

HandlerResult show_host(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto status = co_await context.service.show_host(request.path_value("host"));
  if (!status) co_return service_problem(status.error(), request);
  co_return json_response(to_json(*status));
}

HandlerResult drain_host(const HttpRequest& request, const ApiContext& context) {
  co_return co_await set_drained(request, context, true);
}

HandlerResult resume_host(const HttpRequest& request, const ApiContext& context) {
  co_return co_await set_drained(request, context, false);
}

HandlerResult test_host(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto test = co_await context.service.test_host(request.path_value("host"));
  if (!test) co_return service_problem(test.error(), request);
  co_return json_response(to_json(*test));
}

}  // namespace lathe::manager

#include <utility>

#include "api/handlers.hpp"
#include "api/json_body.hpp"
#include "api/page_json.hpp"
#include "api/query.hpp"
#include "api/service_problem.hpp"
#include "http/problem.hpp"

namespace lathe::manager {

HandlerResult add_trial(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto json = parse_json_body(request.body);
  if (!json) co_return bad_request(json.error());
  const auto parameters = parse_new_trial(*json);
  if (!parameters) co_return invalid_body(parameters.error());
  const auto record = co_await context.service.add_trial(request.path_value("id"), *parameters);
  if (!record) co_return service_problem(record.error(), request);
  HttpResponse response = json_response(to_json(*record), HttpStatus::created);
  response.set("Location", "/api/v1/experiments/" + record->experiment_id + "/trials/" + record->id);
  co_return response;
}

HandlerResult show_trial(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto record = co_await context.service.show_trial(request.path_value("id"), request.path_value("tid"));
  if (!record) co_return service_problem(record.error(), request);
  co_return json_response(to_json(*record));
}

HandlerResult cancel_trial(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto record = co_await context.service.cancel_trial(request.path_value("id"), request.path_value("tid"));
  if (!record) co_return service_problem(record.error(), request);
  co_return json_response(to_json(*record), HttpStatus::accepted);
}

HandlerResult list_metrics(const HttpRequest& request, const ApiContext& context) {
  auto query = parse_metric_query(request.query);
  if (!query) co_return bad_request(query.error());
  query->experiment_id = request.path_value("id");
  if (const auto trial = find_value(request.path_values, "tid")) query->trial_id = std::string(*trial);
  const auto page = co_await context.service.list_metrics(*query);
  if (!page) co_return service_problem(page.error(), request);
  co_return page_response(*page);
}

}  // namespace lathe::manager

#include <utility>

#include <lathe/proto/experiment_config.hpp>

#include "api/blocking.hpp"
#include "api/handlers.hpp"
#include "api/json_body.hpp"
#include "api/page_json.hpp"
#include "api/query.hpp"
#include "api/service_problem.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

HttpResponse config_problem(const std::string& text, const proto::Errors& errors) {
  HttpResponse response = invalid_body(errors);
  if (is_readable_config(text)) return response;
  return problem_response(HttpStatus::bad_request,
                          errors.empty() ? "the body cannot be read" : errors.front().to_string(), errors);
}

HttpResponse created(const ExperimentRecord& record) {
  HttpResponse response = json_response(to_json(record), HttpStatus::created);
  response.set("Location", "/api/v1/experiments/" + record.id);
  return response;
}

}  // namespace

HandlerResult list_experiments(const HttpRequest& request, const ApiContext& context) {
  const auto query = parse_experiment_query(request.query);
  if (!query) co_return bad_request(query.error());
  const auto page = co_await context.service.list(*query);
  if (!page) co_return service_problem(page.error(), request);
  co_return page_response(*page);
}

HandlerResult create_experiment(const HttpRequest& request, const ApiContext& context) {
  const auto directory = parse_create_query(request.query);
  if (!directory) co_return bad_request(directory.error());
  proto::ConfigOrigin origin;
  origin.search_path = *directory ? std::vector<std::filesystem::path>{**directory} : context.search_path;
  struct Parsed {
    std::optional<proto::ExperimentConfig> config;
    HttpResponse problem;
  };
  const auto parse = [text = request.body, origin] {
    auto config = proto::parse_experiment_config(text, origin);
    return config ? Parsed{std::move(*config), {}} : Parsed{std::nullopt, config_problem(text, config.error())};
  };
  Parsed parsed = co_await run_blocking(context.pool, parse);
  if (!parsed.config) co_return parsed.problem;
  const auto record = co_await context.service.create(std::move(*parsed.config));
  if (!record) co_return service_problem(record.error(), request);
  co_return created(*record);
}

HandlerResult show_experiment(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto record = co_await context.service.show(request.path_value("id"));
  if (!record) co_return service_problem(record.error(), request);
  co_return json_response(to_json(*record));
}

HandlerResult change_experiment(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto json = parse_json_body(request.body);
  if (!json) co_return bad_request(json.error());
  const auto change = parse_experiment_change(*json);
  if (!change) co_return invalid_body(change.error());
  const auto record = co_await context.service.change(request.path_value("id"), *change);
  if (!record) co_return service_problem(record.error(), request);
  co_return json_response(to_json(*record));
}

HandlerResult delete_experiment(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto removed = co_await context.service.remove(request.path_value("id"));
  if (!removed) co_return service_problem(removed.error(), request);
  co_return empty_response();
}

HandlerResult stop_experiment(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto record = co_await context.service.stop(request.path_value("id"));
  if (!record) co_return service_problem(record.error(), request);
  co_return json_response(to_json(*record), HttpStatus::accepted);
}

HandlerResult resume_experiment(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto record = co_await context.service.resume(request.path_value("id"));
  if (!record) co_return service_problem(record.error(), request);
  co_return json_response(to_json(*record));
}

}  // namespace lathe::manager

#include <algorithm>
#include <utility>

#include "api/blocking.hpp"
#include "api/event_stream.hpp"
#include "api/handlers.hpp"
#include "api/log_stream.hpp"
#include "api/openapi_text.hpp"
#include "api/query.hpp"
#include "api/service_problem.hpp"
#include "experiment/status_news.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

namespace asio = boost::asio;

HttpResponse state_response(const DaemonState& state, const ApiContext& context) {
  return json_response(to_json(state, context.version));
}

HandlerResult set_draining(const HttpRequest& request, const ApiContext& context, bool draining) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  const auto state = co_await context.service.set_draining(draining);
  if (!state) co_return service_problem(state.error(), request);
  co_return state_response(*state, context);
}

}  // namespace

HandlerResult follow_events(const HttpRequest& request, const ApiContext& context) {
  const auto query = parse_event_query(request.query);
  if (!query) co_return bad_request(query.error());
  EventStreamOptions options;
  options.kinds = query->kinds;
  options.last_event_id = query->last_event_id;
  if (const auto id = request.header("Last-Event-ID"); !id.empty()) options.last_event_id = std::string(id);
  if (const auto id = find_value(request.path_values, "id")) {
    const auto record = co_await context.service.show(std::string(*id));
    if (!record) co_return service_problem(record.error(), request);
    options.experiment_id = record->id;
  }
  co_return event_stream(context.service.events(), context.frames, std::move(options));
}

HandlerResult show_daemon_log(const HttpRequest& request, const ApiContext& context) {
  const auto query = parse_log_query(request.query);
  if (!query) co_return bad_request(query.error());
  if (query->follow) {
    FollowedFile followed;
    followed.root = context.data_dir;
    followed.path = context.log_file;
    followed.tail = query->tail;
    followed.is_over = []() -> asio::awaitable<bool> { co_return false; };
    co_return follow_response(std::move(followed), context.pool);
  }
  const auto open = [root = context.data_dir, path = context.log_file] { return PlainFile::open(root, path); };
  const auto file = co_await run_blocking(context.pool, open);
  if (!file) co_return problem_response(HttpStatus::not_found, file.error().message);
  const std::uint64_t end = (*file)->size();
  const std::uint64_t begin = query->tail ? std::min((*file)->tail_offset(*query->tail), end) : 0;
  co_return file_response(*file, begin, end, "text/plain; charset=utf-8", context.pool);
}

HandlerResult show_daemon(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  co_return state_response(context.service.daemon_state(), context);
}

HandlerResult drain_daemon(const HttpRequest& request, const ApiContext& context) {
  co_return co_await set_draining(request, context, true);
}

HandlerResult resume_daemon(const HttpRequest& request, const ApiContext& context) {
  co_return co_await set_draining(request, context, false);
}

HandlerResult show_health(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  ExperimentQuery newest;
  newest.limit = 1;
  const auto page = co_await context.service.list(newest);
  if (!page) co_return service_problem(page.error(), request);
  co_return json_response({{"status", "ok"}});
}

HandlerResult show_version(const HttpRequest& request, const ApiContext& context) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  co_return json_response({{"name", "lathed"}, {"version", context.version}});
}

HandlerResult show_description(const HttpRequest& request, const ApiContext&) {
  if (const auto query = parse_no_query(request.query); !query) co_return bad_request(query.error());
  co_return text_response(std::string(openapi_text()), "application/yaml");
}

}  // namespace lathe::manager

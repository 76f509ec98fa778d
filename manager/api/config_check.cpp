// What an editor of configurations needs: a check that creates nothing, and the JSON Schemas.
#include <memory>
#include <utility>

#include <lathe/proto/experiment_config.hpp>

#include "api/blocking.hpp"
#include "api/handlers.hpp"
#include "api/query.hpp"
#include "api/schema_texts.hpp"
#include "http/problem.hpp"

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

ordered_json errors_json(const proto::Errors& errors) {
  ordered_json json = ordered_json::array();
  for (const proto::Error& error : errors) json.push_back(error_json(error));
  return json;
}

ordered_json verdict(const std::string& text, const proto::ConfigOrigin& origin) {
  const auto config = proto::parse_experiment_config(text, origin);
  if (!config) return {{"valid", false}, {"errors", errors_json(config.error())}, {"warnings", ordered_json::array()}};
  return {{"valid", true},
          {"errors", ordered_json::array()},
          {"warnings", config->warnings},
          {"config", proto::to_json(*config)}};
}

HttpResponse schema_response(const HttpRequest& request, std::string_view text) {
  if (const auto query = parse_no_query(request.query); !query) return bad_request(query.error());
  return text_response(std::string(text), "application/schema+json");
}

}  // namespace

HandlerResult check_experiment(const HttpRequest& request, const ApiContext& context) {
  const auto directory = parse_create_query(request.query);
  if (!directory) co_return bad_request(directory.error());
  proto::ConfigOrigin origin;
  origin.search_path = *directory ? std::vector<std::filesystem::path>{**directory} : context.search_path;
  auto check = [text = request.body, origin = std::move(origin)] { return json_response(verdict(text, origin)); };
  co_return co_await run_blocking(context.pool, std::move(check));
}

HandlerResult show_experiment_schema(const HttpRequest& request, const ApiContext&) {
  co_return schema_response(request, experiment_schema_text());
}

HandlerResult show_search_space_schema(const HttpRequest& request, const ApiContext&) {
  co_return schema_response(request, search_space_schema_text());
}

}  // namespace lathe::manager

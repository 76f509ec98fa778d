#include "http/problem.hpp"

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

namespace lathe::manager {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view problem_type = "application/problem+json";

}  // namespace

ordered_json error_json(const proto::Error& error) {
  ordered_json json;
  if (!error.field.empty()) json["field"] = error.field;
  if (error.line > 0) json["line"] = error.line;
  if (!error.file.empty()) json["file"] = error.file;
  json["message"] = error.message;
  return json;
}

HttpResponse problem_response(HttpStatus status, std::string detail, const proto::Errors& errors) {
  const auto title = boost::beast::http::obsolete_reason(status);
  ordered_json json{{"type", "about:blank"},
                    {"title", std::string(title.data(), title.size())},
                    {"status", static_cast<unsigned>(status)},
                    {"detail", std::move(detail)}};
  for (const proto::Error& error : errors) json["errors"].push_back(error_json(error));
  HttpResponse response = text_response(json_text(json), std::string(problem_type));
  response.status = status;
  return response;
}

HttpResponse bad_request(const proto::Error& error) {
  return problem_response(HttpStatus::bad_request, error.to_string(), {error});
}

void set_instance(HttpResponse& response, const HttpRequest& request) {
  if (response.header("Content-Type") != problem_type) return;
  auto json = ordered_json::parse(response.body, nullptr, false);
  if (!json.is_object()) return;
  json["instance"] = request.path;
  response.body = json_text(json);
}

}  // namespace lathe::manager

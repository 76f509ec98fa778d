#include "http/response.hpp"

namespace lathe::manager {

HttpResponse& HttpResponse::set(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

HttpResponse text_response(std::string text, std::string content_type) {
  HttpResponse response;
  response.body = std::move(text);
  response.set("Content-Type", std::move(content_type));
  return response;
}

std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

HttpResponse json_response(const nlohmann::ordered_json& json, HttpStatus status) {
  HttpResponse response = text_response(json_text(json), "application/json");
  response.status = status;
  return response;
}

HttpResponse empty_response() {
  HttpResponse response;
  response.status = HttpStatus::no_content;
  return response;
}

HttpResponse stream_response(std::string content_type, BodyProducer producer) {
  HttpResponse response;
  response.producer = std::move(producer);
  response.set("Content-Type", std::move(content_type));
  return response;
}

}  // namespace lathe::manager

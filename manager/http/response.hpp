// One HTTP answer, before it becomes bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

#include "http/body_stream.hpp"

namespace lathe::manager {

using HttpStatus = boost::beast::http::status;

/// Either `body` or, when `producer` is set, a stream.
struct HttpResponse {
  HttpStatus status = HttpStatus::ok;
  std::vector<std::pair<std::string, std::string>>
      headers;  ///< without Content-Length, Date, Connection: the session's business
  std::string body;
  BodyProducer producer;
  std::optional<std::uint64_t> content_length;  ///< of a stream, when it is known
  bool is_live = false;  ///< a stream without an end of its own: ends when the client leaves or the server stops

  HttpResponse& set(std::string name, std::string value);
  /// First value of a header; empty when it is not set.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

[[nodiscard]] HttpResponse text_response(std::string text, std::string content_type = "text/plain; charset=utf-8");

/// Bytes of strings that are not UTF-8 are replaced, so that the answer always is.
[[nodiscard]] HttpResponse json_response(const nlohmann::ordered_json& json, HttpStatus status = HttpStatus::ok);
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& json);

/// 204.
[[nodiscard]] HttpResponse empty_response();

[[nodiscard]] HttpResponse stream_response(std::string content_type, BodyProducer producer);

}  // namespace lathe::manager

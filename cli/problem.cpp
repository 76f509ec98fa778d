#include "problem.hpp"

#include <chrono>

#include <lathe/proto/result.hpp>

#include <fmt/format.h>

#include "json.hpp"
#include "output/text.hpp"

namespace lathe::cli {
namespace {

proto::Error to_error(const Json& item, const std::string& file) {
  proto::Error error{text_of(item, "message"), text_of(item, "field"), text_of(item, "file"), 0};
  if (error.message.empty()) error.message = item.is_string() ? item.get<std::string>() : dump(item);
  const auto line = integer_of(item, "line");
  if (line && *line > 0 && *line <= 1'000'000'000) error.line = static_cast<int>(*line);
  if (error.file.empty()) error.file = file;
  return error;
}

std::string headline(const Json& problem, const Response& response) {
  for (const char* key : {"detail", "title"}) {
    if (auto text = text_of(problem, key); !text.empty()) return text;
  }
  constexpr std::size_t excerpt = 200;
  return fmt::format("the daemon answered {}: {}", response.status, truncate(response.body, excerpt));
}

}  // namespace

Failure failure_of(const Response& response, const std::string& file) {
  const Json problem = Json::parse(response.body, nullptr, false);
  const Json& errors = member(problem, "errors");
  Failure failure{ExitCode::Failed, {}};
  for (const Json& item : errors) {
    failure.message += (failure.message.empty() ? "" : "\n") + escape(to_error(item, file).to_string());
  }
  if (failure.message.empty()) failure.message = escape(headline(problem, response));
  return failure;
}

Failure failure_of_stream(ResponseStream& stream) {
  constexpr std::chrono::seconds patience{5};
  Response response{stream.status(), {}};
  while (stream.read(response.body, std::chrono::steady_clock::now() + patience) == ReadEnd::Data) {
  }
  return failure_of(response);
}

}  // namespace lathe::cli

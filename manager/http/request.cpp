#include "http/request.hpp"

#include <stdexcept>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace lathe::manager {

std::optional<std::string_view> find_value(const NamedValues& values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view HttpRequest::header(std::string_view name) const {
  const auto found = headers.find(boost::beast::string_view(name.data(), name.size()));
  if (found == headers.end()) return {};
  return {found->value().data(), found->value().size()};
}

const std::string& HttpRequest::path_value(std::string_view name) const {
  for (const auto& [key, value] : path_values) {
    if (key == name) return value;
  }
  throw std::out_of_range("the route has no {" + std::string(name) + "}");
}

proto::Result<bool> parse_target(std::string_view target, HttpRequest& request) {
  if (target == "*") {
    request.path = "*";
    return true;
  }
  const bool is_absolute = target.substr(0, 7) == "http://" || target.substr(0, 8) == "https://";
  const auto url = is_absolute ? boost::urls::parse_uri(target) : boost::urls::parse_origin_form(target);
  if (!url) return proto::fail("the request target is not a valid URL path: " + url.error().message(), "target");
  const auto path = url->encoded_path();
  request.path = path.empty() ? "/" : std::string(path.data(), path.size());
  for (const auto& segment : url->segments()) request.segments.emplace_back(segment);
  for (const auto& parameter : url->params()) request.query.emplace_back(parameter.key, parameter.value);
  return true;
}

}  // namespace lathe::manager
